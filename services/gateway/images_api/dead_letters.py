"""Handlers of `images/jobs/dead`: the dead-letter queue."""

from typing import Any, Self

from aiohttp import web

from imageconverter.jobs import DeadLetter
from services.gateway import state
from services.gateway.http.responses import Items, ResponseModel, json_response


class DeadLetterResponse(ResponseModel):
    """A dead letter."""

    id: str
    lane: str
    task: str
    reason: str
    tries: int
    died: int
    order: Any

    @classmethod
    def of(cls, job: DeadLetter) -> Self:
        """Return *job* as a response."""
        return cls(
            id=job.id,
            lane=job.queue,
            task=job.task,
            reason=job.reason,
            tries=job.attempts,
            died=int(job.failed_at.timestamp()),
            order=job.payload,
        )


async def list_dead(request: web.Request) -> web.Response:
    """Return all dead letters, the newest first."""
    dead = await request.app[state.QUEUE].dead.all()
    return json_response(Items(items=tuple(DeadLetterResponse.of(each) for each in dead)))


async def retry(request: web.Request) -> web.Response:
    """Enqueue a dead letter again."""
    await request.app[state.QUEUE].dead.retry(request.match_info["jobId"])
    return web.json_response({})


async def drop(request: web.Request) -> web.Response:
    """Delete a dead letter."""
    await request.app[state.QUEUE].dead.drop(request.match_info["jobId"])
    return web.json_response({})
