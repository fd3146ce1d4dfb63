"""Sources that a request has stored, for automatic conversion."""

import structlog
from aiohttp import web

from imageconverter.automatic import AutomaticFormats
from imageconverter.errors import QueueUnavailable
from services.gateway import state

_log = structlog.get_logger(__name__)


async def submit_source(request: web.Request, path: str) -> None:
    """Have the source at *path* converted if it is in the directory of an automatic format.

    It is stored already, so without Redis the request succeeds, and a scan finds the source.
    """
    if not AutomaticFormats(request.app[state.FORMATS].current).of_source(path):
        return
    try:
        await request.app[state.PENDING_SOURCES].submit([(path, "")])
    except QueueUnavailable as error:
        _log.warning("source not submitted", path=path, reason=error.reason)


async def request_scan(request: web.Request) -> None:
    """Have all automatic directories scanned, because a request has stored many sources."""
    if not AutomaticFormats(request.app[state.FORMATS].current):
        return
    try:
        await request.app[state.PENDING_SOURCES].request_scan()
    except QueueUnavailable as error:
        _log.warning("scan not requested", reason=error.reason)
