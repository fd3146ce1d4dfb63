"""Handler of the ImageConverter API's status page, by which clients recognise the server."""

from html import escape

from aiohttp import web

import imageconverter
from imageconverter.errors import Unavailable
from services.gateway import state
from services.gateway.imageconverter_api.errors import Code, code_of
from services.gateway.imageconverter_api.metrics import CacheState

SERVER_ID = "57c6b91f-563b-4885-946d-0cc5799e2fdf"
"""Of every ImageConverter, whoever made it: the published API has it as a constant for clients to look for."""

API_VERSION = "8.20.1"

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>ImageConverter</title></head>
<body>
<h1>ImageConverter</h1>
<pre>
{lines}
</pre>
</body>
</html>
"""


async def status(request: web.Request) -> web.Response:
    """Answer who this is, asking nobody; with ?metrics=yes or true, the numbers of /metrics too.

    It is 200 even where the cache does not answer: `Code` and `Message` tell that.
    """
    app, code, message = request.app, Code.OK, "ok"
    numbers: list[str] = []
    if request.query.get("metrics", "").lower() in ("yes", "true"):
        try:
            cache = await CacheState.now(app[state.PREVIEWS], app[state.QUEUE])
            numbers = [f"{name}: {value:.12g}" for name, value in app[state.PREVIEW_METRICS].summary(cache)]
        except Unavailable as error:
            code, message = code_of(error), error.reason
    lines = [
        f"Product: ImageConverter (imageconverter {imageconverter.__version__})",
        f"id: {SERVER_ID}",
        f"API: v{API_VERSION}",
        f"Code: {code:d}",
        f"Message: {message}",
        *numbers,
    ]
    return web.Response(text=_PAGE.format(lines=escape("\n".join(lines))), content_type="text/html")
