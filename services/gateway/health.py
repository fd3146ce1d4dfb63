"""Handlers of `/health/live`, `/health/ready` and `/metrics`."""

import asyncio

from aiohttp import web

from imageconverter.errors import QueueUnavailable
from imageconverter.jobs import QueueName
from services.gateway import state
from services.gateway.imageconverter_api.metrics import CacheState


async def live(_request: web.Request) -> web.Response:
    """Return 200 as long as the event loop runs; does not call other services."""
    return web.json_response({"status": "live"})


async def ready(request: web.Request) -> web.Response:
    """Return 200 if Redis, the store, the bucket and at least one worker are available, else 503 with what is not."""
    redis, store, workers = await asyncio.gather(
        request.app[state.QUEUE].availability(), request.app[state.STORE].availability(), _workers(request)
    )
    ownership = request.app[state.OWNERSHIP].problem
    is_ready = redis == store == "up" and workers > 0 and not ownership
    body: dict[str, object] = {"redis": redis, "store": store, "workers": workers}
    if problems := [*request.app[state.PROBLEMS], *([ownership] if ownership else [])]:
        body["problems"] = problems
    return web.json_response(
        {"status": "ready" if is_ready else "not ready", **body}, status=200 if is_ready else 503
    )


async def _workers(request: web.Request) -> int:
    """Return the number of workers; 0 if Redis does not respond."""
    try:
        return len(await request.app[state.QUEUE].live_processes("worker"))
    except QueueUnavailable:
        return 0


async def metrics(request: web.Request) -> web.Response:
    """Return the metrics of this process and of the queues in Prometheus text format."""
    queue = request.app[state.QUEUE]
    depths = {name.value: await queue.depth(name) for name in QueueName}
    text = request.app[state.METRICS].render(
        depths, await queue.refused(), await queue.refused_system_calls(), await queue.periodic_stats()
    )
    text += request.app[state.PREVIEW_METRICS].render(await CacheState.now(request.app[state.PREVIEWS], queue))
    return web.Response(body=text, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})
