"""Roles that run in the process of the tests."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from imageconverter.settings import Settings

Run = Callable[[Settings, asyncio.Event], Awaitable[None]]


@asynccontextmanager
async def running(settings: Settings, *roles: Run) -> AsyncIterator[None]:
    """Run *roles* during the block, and end them whatever happens in it: a role left over disturbs later tests."""
    stopping = asyncio.Event()
    tasks = [asyncio.ensure_future(role(settings, stopping)) for role in roles]
    try:
        yield
    finally:
        stopping.set()
        await asyncio.gather(*tasks)
