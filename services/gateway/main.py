"""The gateway process."""

import asyncio

import structlog
from aiohttp import web

from imageconverter.resources import open_resources, wait_for_bucket
from imageconverter.settings import Settings
from services.gateway.app import create_app
from services.lifecycle import known_as_alive, unless_stopped

_log = structlog.get_logger(__name__)

ROLE = "gateway"

_SHUTDOWN_SECONDS = 30
# A client hears of trouble with Redis within these seconds; a restart that is shorter goes unnoticed.
_PATIENCE_SECONDS = 4


async def run(settings: Settings, stopping: asyncio.Event) -> None:
    """Serve until *stopping* is set, then answer what is under way and return."""
    async with open_resources(settings, patience=_PATIENCE_SECONDS) as resources:
        runner = web.AppRunner(create_app(settings, resources), access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
        await runner.setup()
        try:
            await web.TCPSite(runner, settings.gateway.host, settings.gateway.port, backlog=1024).start()
            _log.info("gateway ready", host=settings.gateway.host, port=settings.gateway.port)
            await unless_stopped(stopping, wait_for_bucket(resources.store))
            async with known_as_alive(resources.queue, ROLE):
                await stopping.wait()
            _log.info("gateway stopping")
        finally:
            await runner.cleanup()
