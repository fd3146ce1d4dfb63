"""Handler of the status page of the ImageConverter API, by which clients recognize the server."""

from html import escape

from aiohttp import web

import imageconverter
from imageconverter.errors import Unavailable
from services.gateway import state
from services.gateway.imageconverter_api.errors import Code, code_of
from services.gateway.imageconverter_api.metrics import CacheState

SERVER_ID = "57c6b91f-563b-4885-946d-0cc5799e2fdf"
"""Identifies every implementation: clients look for this constant of the published API."""

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
    """Return name, version and id of the server; with `?metrics=yes` or `true`, also the metrics of `/metrics`.

    The status is 200 even if Redis is unavailable: `Code` and `Message` report that.
    """
    app, code, message = request.app, Code.OK, "ok"
    metrics: list[str] = []
    if request.query.get("metrics", "").lower() in ("yes", "true"):
        try:
            cache = await CacheState.now(app[state.PREVIEWS], app[state.QUEUE])
            metrics = [f"{name}: {value:.12g}" for name, value in app[state.PREVIEW_METRICS].summary(cache)]
        except Unavailable as error:
            code, message = code_of(error), error.reason
    lines = [
        f"Product: ImageConverter (imageconverter {imageconverter.__version__})",
        f"id: {SERVER_ID}",
        f"API: v{API_VERSION}",
        f"Code: {code:d}",
        f"Message: {message}",
        *metrics,
    ]
    return web.Response(text=_PAGE.format(lines=escape("\n".join(lines))), content_type="text/html")
