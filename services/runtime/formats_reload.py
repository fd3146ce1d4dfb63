"""Reading the formats file again while a role runs."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from imageconverter.images.current_formats import CurrentFormats

_log = structlog.get_logger(__name__)

_POLL_SECONDS = 0.5


@asynccontextmanager
async def reloading(formats: CurrentFormats) -> AsyncIterator[None]:
    """Put changes of the formats file into effect during the block: within about a second, and at once on SIGHUP."""
    loop = asyncio.get_running_loop()
    hangup = asyncio.Event()
    loop.add_signal_handler(signal.SIGHUP, hangup.set)
    _log_formats(formats)
    watching = asyncio.create_task(_watch(formats, hangup))
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _watch(formats: CurrentFormats, hangup: asyncio.Event) -> None:
    while True:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(hangup.wait(), _POLL_SECONDS)
        at_once = hangup.is_set()
        hangup.clear()
        # In a thread, because the file may be on a network that does not respond.
        if await asyncio.to_thread(formats.refresh, at_once=at_once):
            _log_formats(formats)


def _log_formats(formats: CurrentFormats) -> None:
    if formats.problems:
        problems = list(formats.problems)
        _log.error("formats file invalid, formats unchanged", file=str(formats.path), problems=problems)
    else:
        _log.info("formats in effect", formats=len(formats.current), digest=formats.current.digest())
