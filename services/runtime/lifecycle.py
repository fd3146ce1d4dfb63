"""The life cycle of a role: memory and file limits, signals, heartbeats, a graceful stop."""

import asyncio
import contextlib
import ctypes
import os
import resource
import signal
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from imageconverter.errors import QueueUnavailable
from imageconverter.images.current_formats import CurrentFormats
from imageconverter.jobs import JobQueue

_HEARTBEAT_SECONDS = 1.0

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
async def heartbeats(queue: JobQueue, role: str, formats: CurrentFormats) -> AsyncIterator[None]:
    """Send a heartbeat for this process of *role*, with the digest of *formats*, once a second during the block."""
    process = f"{socket.gethostname()}:{os.getpid()}"
    ending = asyncio.Event()  # not a cancellation, which redis-py may swallow

    async def send_heartbeats() -> None:
        while not ending.is_set():
            with contextlib.suppress(QueueUnavailable):
                await queue.heartbeat(role, process, formats.current.digest())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ending.wait(), _HEARTBEAT_SECONDS)

    sending = asyncio.create_task(send_heartbeats())
    try:
        yield
    finally:
        ending.set()
        await sending
