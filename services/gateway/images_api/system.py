"""Handlers of `images/system`: what all processes are doing, and the last hour."""

from collections.abc import Iterator

from aiohttp import web

import imageconverter
from imageconverter.monitoring.system_state import SystemState
from services.gateway import state
from services.gateway.health import formats_problems
from services.gateway.http.compression import compressed
from services.gateway.http.responses import json_response
from services.gateway.http.revalidation import revalidated
from services.gateway.images_api.history_responses import HourResponse, MinuteResponse
from services.gateway.images_api.system_responses import (
    ProcessResponse,
    QueueResponse,
    RedisResponse,
    RoleResponse,
    StoreResponse,
    SystemCallResponse,
    SystemResponse,
)


@compressed
async def system(request: web.Request) -> web.Response:
    """Return the state of the system, at most a second old."""
    found = await request.app[state.SYSTEM].state()
    return json_response(
        SystemResponse(
            at=found.at,
            version=imageconverter.__version__,
            formats=request.app[state.FORMATS].current.digest(),
            problems=tuple(problems(request, found)),
            redis=RedisResponse.of(found.redis),
            store=StoreResponse(state=found.store),
            roles=tuple(
                RoleResponse(role=role, processes=tuple(map(ProcessResponse.of, processes)))
                for role, processes in found.processes.items()
            ),
            queues=tuple(
                QueueResponse.of(name, queue, found.jobs.refused.get(name.value, 0))
                for name, queue in found.jobs.queues.items()
            ),
            dead_letters=found.jobs.dead_letters,
            refused_system_calls=tuple(
                SystemCallResponse(system_call=name, count=count)
                for name, count in found.jobs.refused_system_calls.items()
            ),
        )
    )


def problems(request: web.Request, found: SystemState) -> Iterator[str]:
    """Yield, as sentences, what needs attention."""
    yield from problems_of_installation(request)
    live = {
        role: {f"{each.host}:{each.pid}": each.formats for each in processes}
        for role, processes in found.processes.items()
    }
    yield from formats_problems(request.app[state.FORMATS], live)


def problems_of_installation(request: web.Request) -> Iterator[str]:
    """Yield, as sentences, what Redis and the store lack, and whether another stack owns the bucket."""
    yield from request.app[state.PROBLEMS]
    if ownership := request.app[state.OWNERSHIP].problem:
        yield ownership


@compressed
@revalidated
async def history(request: web.Request) -> web.Response:
    """Return the last hour, minute by minute."""
    minutes = await request.app[state.SYSTEM].history()
    return json_response(HourResponse(items=tuple(map(MinuteResponse.of, minutes))))
