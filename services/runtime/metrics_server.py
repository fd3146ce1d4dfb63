"""The metrics of workers and reporters, on a port of their own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from prometheus_client import start_http_server

from imageconverter.monitoring.metrics import Metrics
from imageconverter.settings import ProcessSettings, SettingsError

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def serving_metrics(metrics: Metrics, settings: ProcessSettings) -> AsyncIterator[None]:
    """Serve *metrics* in a thread during the block, if the *settings* have a port.

    Raises SettingsError if the port cannot be used.
    """
    if not settings.metrics_port:
        yield
        return
    try:
        server, thread = start_http_server(settings.metrics_port, settings.metrics_host, metrics.registry)
    except OSError as error:
        raise SettingsError(f"IMAGECONVERTER_METRICS_PORT: {error.strerror}") from None
    _log.info("metrics served", host=settings.metrics_host, port=server.server_port)
    try:
        yield
    finally:
        await asyncio.to_thread(server.shutdown)
        server.server_close()
        thread.join()
