"""The life cycle of a role: memory and file limits, signals, heartbeats, a graceful stop."""

import asyncio
import contextlib
import ctypes
import itertools
import os
import resource
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from imageconverter.errors import QueueUnavailable
from imageconverter.monitoring.process_report import ProcessReport, SandboxReport
from imageconverter.resources import Resources

_HEARTBEAT_SECONDS = 1.0
_HEARTBEATS_PER_RECORD = 10

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # of malloc.h
_LARGE_BLOCK = 1024 * 1024


def release_freed_memory() -> None:
    """Make the C library return large blocks to the system as soon as they are freed.

    By default glibc raises its threshold for that with every large block that is freed, up to 32 MiB, and then keeps
    all blocks below it. Other C libraries have no such setting.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BLOCK)
        mallopt(_M_ARENA_MAX, 2)


def raise_file_limit() -> None:
    """Raise the limit of open files to the maximum, also for processes started by this one: each client needs one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def run_until_signal(main: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    """Run *main* with an event that SIGTERM and SIGINT set; returns when *main* does."""

    async def supervised() -> None:
        raise_file_limit()
        release_freed_memory()
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, stopping.set)
        await main(stopping)

    asyncio.run(supervised())


async def run_unless_stopped(stopping: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Run *work*, and cancel it when *stopping* is set; returns whether it has completed."""
    working = asyncio.create_task(work)
    stop = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait([working, stop], return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
            return True
        return False
    finally:
        for task in (working, stop):
            task.cancel()
        await asyncio.gather(working, stop, return_exceptions=True)


@asynccontextmanager
async def heartbeats(
    resources: Resources, role: str, *, sandbox: Callable[[], SandboxReport] | None = None
) -> AsyncIterator[None]:
    """Send a heartbeat for this process of *role* once a second during the block.

    It has the digest of the image formats and says what the process is doing, with the state of its *sandbox*. Every
    ten seconds, what it has counted is added to the history.
    """
    process, started = f"{socket.gethostname()}:{os.getpid()}", time.time()
    queue = resources.queue
    ending = asyncio.Event()  # not a cancellation, which redis-py may swallow

    async def send_heartbeat() -> None:
        state = None if sandbox is None else sandbox()
        report = ProcessReport.of(resources.activity, started=started, sandbox=state)
        text = report.model_dump_json(exclude_defaults=True)
        await queue.heartbeat(role, process, resources.formats.current.digest(), text)

    async def send_heartbeats() -> None:
        for number in itertools.count():
            with contextlib.suppress(QueueUnavailable):
                await send_heartbeat()
                if ending.is_set() or number % _HEARTBEATS_PER_RECORD == 0:
                    await resources.history.record(resources.counts)
            if ending.is_set():
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ending.wait(), _HEARTBEAT_SECONDS)

    sending = asyncio.create_task(send_heartbeats())
    try:
        yield
    finally:
        ending.set()
        await sending
