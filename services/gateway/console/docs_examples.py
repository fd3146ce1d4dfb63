"""Examples of the API to copy, in four languages, with the reader's own address."""

import functools
import re
from pathlib import Path
from typing import Final

from aiohttp import web

from services.gateway import state
from services.gateway.auth.login import is_https
from services.gateway.console.rendering import render
from services.gateway.console.session import visitor
from services.gateway.http.requested_host import requested_host

PATH: Final = "/docs/examples"
TASKS: Final = ("login", "convert", "run", "srcset", "report", "previews")
LANGUAGES: Final = {"curl": "sh", "python": "py", "javascript": "mjs", "php": "php"}
"""The languages by their names in the path, and the extensions of their files."""
SNIPPETS: Final = Path(__file__).parent / "snippets"
DEFAULT_ORIGIN: Final = "http://127.0.0.1:8005"
"""The address in the files."""
_HOST: Final = re.compile(r"[a-z0-9.-]+(:\d{1,5})?|\[[0-9a-f:.]+\](:\d{1,5})?", re.IGNORECASE)


async def examples(request: web.Request) -> web.StreamResponse:
    """Return the examples in the language of the path, by default for curl. Raises HTTPNotFound."""
    language = request.match_info.get("language", "curl")
    if language not in LANGUAGES:
        raise web.HTTPNotFound
    return await render(
        request,
        "docs-examples.html",
        visitor=visitor(request),
        chosen=language,
        codes={task: _code(request, task, LANGUAGES[language]) for task in TASKS},
    )


def _code(request: web.Request, task: str, suffix: str) -> str:
    return _snippet(f"{task}.{suffix}").replace(
        DEFAULT_ORIGIN, origin(request, request.app[state.GATEWAY].trusted_proxies)
    )


@functools.cache  # of some dozen files
def _snippet(name: str) -> str:
    return (SNIPPETS / name).read_text(encoding="utf-8")


def origin(request: web.Request, proxies: int) -> str:
    """Return the address of this server as the client of *request* knows it, with *proxies* trusted proxies.

    If the host could be something else than a host where it is copied to, it is the default address.
    """
    host = requested_host(request, proxies)
    if not _HOST.fullmatch(host):
        return DEFAULT_ORIGIN
    return f"{'https' if is_https(request, proxies) else 'http'}://{host}"
