"""Automatic conversion: one reporter at a time starts runs over pending sources, and scans for others."""

import asyncio
from typing import Final

import structlog

from imageconverter.automatic import AutomaticFormats
from imageconverter.automatic.automatic_run import start_run
from imageconverter.automatic.scan import scan_more
from imageconverter.errors import Unavailable
from imageconverter.resources import Resources
from services.runtime.lifecycle import run_unless_stopped

_POLL_SECONDS: Final = 1
_SCAN_SECONDS: Final = 10  # at a time, so that a run is started meanwhile

_log = structlog.get_logger(__name__)


async def convert_automatically(resources: Resources, stopping: asyncio.Event, *, max_share: float) -> None:
    """Call `convert_pending` every second until *stopping* is set, except while another stack owns the bucket."""
    while not stopping.is_set():
        if not resources.ownership.problem:
            await run_unless_stopped(stopping, _convert(resources, max_share))
        await run_unless_stopped(stopping, asyncio.sleep(_POLL_SECONDS))


async def _convert(resources: Resources, max_share: float) -> None:
    try:
        await convert_pending(resources, max_share=max_share)
    except Unavailable as error:
        _log.warning("automatic conversion failed", reason=error.reason)
    except Exception:  # noqa: BLE001 - tried again in a second
        _log.exception("internal error in automatic conversion")


async def convert_pending(resources: Resources, *, max_share: float) -> None:
    """Start a run if sources are pending, and continue the scan if there is one.

    A scan moves at most the share *max_share* of the outputs of a format to the trash.
    Raises QueueUnavailable, StoreUnavailable.
    """
    formats = AutomaticFormats(resources.formats.subshops.formats)
    pending = resources.pending_sources
    if not formats:
        return
    state = await pending.state()
    is_idle = not state.waiting and not state.is_requested and state.cursor is None
    if is_idle:
        return
    async with pending.claimed() as is_claimed:
        if is_claimed:
            await _work(resources, formats, max_share=max_share)


async def _work(resources: Resources, formats: AutomaticFormats, *, max_share: float) -> None:
    pending, scans = resources.pending_sources, resources.scans
    state = await pending.state()  # another reporter may have done it before
    if state.waiting:
        await start_run(pending, formats, resources.runs, resources.store)
    cursor = state.cursor
    if cursor is None and state.is_requested:
        cursor = ""
        await scans.begin()
    if cursor is not None:
        with resources.activity.running("automatic-scan"):
            await scan_more(
                scans,
                pending,
                formats,
                resources.store,
                cursor=cursor,
                seconds=_SCAN_SECONDS,
                max_share=max_share,
            )
