"""How every role lives and dies: signals, staying known as alive, waiting without becoming deaf to a stop."""

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
from imageconverter.jobs import JobQueue, open_redis
from imageconverter.settings import Settings

_HEARTBEAT_SECONDS = 1.0

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # of malloc.h
_LARGE_BLOCK = 1024 * 1024


def release_freed_memory() -> None:
    """Have the C library return large blocks to the system as soon as they are freed.

    glibc raises its threshold for that with every large block that is freed, up to 32 MiB: after some uploads
    of that size it keeps them all. Other C libraries know no such switch.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BLOCK)
        mallopt(_M_ARENA_MAX, 2)


def raise_file_limit() -> None:
    """Allow this process, and those that it starts, as many open files as the system lets it: each client is one."""
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
    """Do *work*, but leave it as soon as *stopping* is set; returns whether it was done."""
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
async def heartbeats(queue: JobQueue, role: str) -> AsyncIterator[None]:
    """Tell the others once a second that this process of *role* is alive."""
    process = f"{socket.gethostname()}:{os.getpid()}"
    ending = asyncio.Event()  # not a cancellation: one may get lost inside of redis-py

    async def send_heartbeats() -> None:
        while not ending.is_set():
            with contextlib.suppress(QueueUnavailable):
                await queue.heartbeat(role, process)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ending.wait(), _HEARTBEAT_SECONDS)

    sending = asyncio.create_task(send_heartbeats())
    try:
        yield
    finally:
        ending.set()
        await sending


async def is_alive(settings: Settings, role: str) -> bool:
    """Whether this host's process of *role* has told within the last seconds that it is alive."""
    async with open_redis(settings.redis, retry_timeout=1) as redis:
        queue = JobQueue(
            redis, timeout_seconds=settings.redis.timeout_seconds, retry_timeout=settings.redis.timeout_seconds
        )
        try:
            processes = await queue.live_processes(role)
        except QueueUnavailable:
            return False
    return any(process.rpartition(":")[0] == socket.gethostname() for process in processes)
