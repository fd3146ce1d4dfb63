"""Sources that a request has stored, for automatic conversion."""

from collections.abc import Sequence

import structlog
from aiohttp import web

from imageconverter.automatic import AutomaticFormats
from imageconverter.errors import QueueUnavailable
from services.gateway import state

_log = structlog.get_logger(__name__)


async def submit_source(request: web.Request, path: str) -> None:
    """Have the source at *path* converted if it is in the directory of an automatic format."""
    await submit_sources(request, [path])


async def submit_sources(request: web.Request, paths: Sequence[str]) -> None:
    """Have those of the sources at *paths* converted that are in directories of automatic formats.

    They are stored already, so without Redis the request succeeds, and a scan finds them.
    """
    formats = AutomaticFormats(request.app[state.FORMATS].subshops.formats)
    wanted = [(path, "") for path in paths if formats.of_source(path)]
    if not wanted:
        return
    try:
        await request.app[state.PENDING_SOURCES].submit(wanted)
    except QueueUnavailable as error:
        _log.warning("sources not submitted", sources=len(wanted), reason=error.reason)


async def request_scan(request: web.Request) -> None:
    """Have all automatic directories scanned, because a request has stored many sources."""
    if not AutomaticFormats(request.app[state.FORMATS].subshops.formats):
        return
    try:
        await request.app[state.AUTOMATIC_SCANS].request()
    except QueueUnavailable as error:
        _log.warning("scan not requested", reason=error.reason)
