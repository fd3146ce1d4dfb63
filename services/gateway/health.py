"""Handlers of `/health/live`, `/health/ready` and `/metrics`."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Literal

from aiohttp import web

from imageconverter.errors import QueueUnavailable
from imageconverter.images.current_formats import CurrentFormats
from services.gateway import state
from services.gateway.http.responses import Count, NonEmpty, ResponseModel, json_response, optional
from services.gateway.imageconverter_api.metrics import CacheState
from services.gateway.metrics import SystemMetrics, render
from services.runtime.roles import ROLES

Availability = Literal["up", "read-only", "down"]


class Live(ResponseModel):
    """That the process is running."""

    status: Literal["live"] = "live"


class Ready(ResponseModel):
    """Whether images can be converted, and what is missing."""

    status: Literal["ready", "not ready"]
    redis: Availability
    store: Availability
    workers: Count
    """Number of workers that are running."""
    problems: tuple[NonEmpty, ...] | None = optional()
    """What Redis or the object store lack, another owner of the bucket, and processes with other formats; omitted if
    nothing."""


async def live(_request: web.Request) -> web.Response:
    """Return 200 as long as the event loop runs; does not call other services."""
    return json_response(Live())


async def ready(request: web.Request) -> web.Response:
    """Return 200 if Redis, the store, the bucket and at least one worker are available, else 503 with what is not."""
    redis, store, live = await asyncio.gather(
        request.app[state.QUEUE].availability(), request.app[state.STORE].availability(), _live_processes(request)
    )
    workers = len(live["worker"])
    ownership = request.app[state.OWNERSHIP].problem
    is_ready = redis == store == "up" and workers > 0 and not ownership
    formats = formats_problems(request.app[state.FORMATS], live)
    problems = (*request.app[state.PROBLEMS], *([ownership] if ownership else []), *formats)
    body = Ready(
        status="ready" if is_ready else "not ready",
        redis=redis,
        store=store,
        workers=workers,
        problems=problems or None,
    )
    return json_response(body, status=200 if is_ready else 503)


async def _live_processes(request: web.Request) -> dict[str, dict[str, str]]:
    """Return by role the live processes and the digests of their formats; none if Redis does not respond."""
    queue = request.app[state.QUEUE]
    try:
        found = await asyncio.gather(*(queue.live_processes(role) for role in ROLES))
    except QueueUnavailable:
        return {role: {} for role in ROLES}
    return dict(zip(ROLES, found, strict=True))


def formats_problems(formats: CurrentFormats, live: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Yield, as sentences, what is wrong with the formats file, and which roles have other formats."""
    for problem in formats.problems:
        yield f"The formats file is invalid, the formats before its last change are in effect: {problem}"
    here = formats.current.digest()
    for role, digests in live.items():
        others = Counter(digest for digest in digests.values() if digest not in ("", here))
        for digest, count in others.items():
            yield (
                f"{count} of {len(digests)} {role} processes have other image formats than this gateway: "
                f"their digest is {digest}, here it is {here}."
            )


async def metrics(request: web.Request) -> web.Response:
    """Return the metrics of this process, of previews and of the system, for Prometheus."""
    queue = request.app[state.QUEUE]
    cache = await CacheState.now(request.app[state.PREVIEWS], queue)
    collectors = (
        request.app[state.METRICS].registry,
        SystemMetrics(await request.app[state.SYSTEM].state(), await queue.periodic_stats()),
        request.app[state.PREVIEW_METRICS].families(cache),
    )
    body, media_type = render(collectors, request.headers.get("Accept", ""))
    return web.Response(body=body, headers={"Content-Type": media_type})
