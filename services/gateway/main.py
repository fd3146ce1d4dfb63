"""The gateway process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
from aiohttp import web

from imageconverter.resources import open_resources, wait_for_bucket
from imageconverter.settings import Settings
from services.gateway import state
from services.gateway.app import create_app, create_liveness_app
from services.gateway.http.connection import Connection, Deadlines
from services.runtime.formats_reload import reloading
from services.runtime.freed_memory import keep_freed_memory
from services.runtime.lifecycle import heartbeats, run_unless_stopped
from services.runtime.requirements import unmet_requirements

_log = structlog.get_logger(__name__)

ROLE = "gateway"

_SHUTDOWN_SECONDS = 30
_BACKLOG = 1024
_DEADLINES = Deadlines()
# An outage of Redis fails requests after this time; a shorter one only delays them.
_RETRY_TIMEOUT_SECONDS = 4


async def run(settings: Settings, stopping: asyncio.Event) -> None:
    """Serve until *stopping* is set, then finish the current requests and return."""
    keep_freed_memory()
    gateway = settings.gateway
    async with (
        open_resources(settings, retry_timeout=_RETRY_TIMEOUT_SECONDS) as resources,
        reloading(resources.formats),
        AsyncExitStack() as sites,
    ):
        if gateway.liveness_port:
            await sites.enter_async_context(serving(create_liveness_app(), gateway.host, gateway.liveness_port))
        app = create_app(settings, resources)
        await sites.enter_async_context(resources.ownership.kept())
        await sites.enter_async_context(serving(app, gateway.host, gateway.port))
        _log.info("gateway ready", host=gateway.host, port=gateway.port)
        if await run_unless_stopped(stopping, wait_for_bucket(resources.store)):
            app[state.PROBLEMS].extend(await unmet_requirements(resources.store, resources.redis))
        async with heartbeats(resources, ROLE):
            await stopping.wait()
        _log.info("gateway stopping")


@asynccontextmanager
async def serving(
    app: web.Application, host: str, port: int, *, deadlines: Deadlines = _DEADLINES
) -> AsyncIterator[None]:
    """Serve *app* on *port* until the block ends, then finish the current requests."""
    runner = web.AppRunner(app, shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    server = runner.server
    assert server is not None  # noqa: S101 - for mypy: there is one between setup and cleanup
    loop = asyncio.get_running_loop()
    try:
        listening = await loop.create_server(lambda: Connection(server, deadlines), host, port, backlog=_BACKLOG)
        try:
            yield
        finally:
            listening.close()
    finally:
        await runner.cleanup()
