"""Handlers of `images/jobs/dead`: the dead-letter queue."""

from typing import Annotated, Any, Self

from aiohttp import web
from pydantic import Field

from imageconverter.jobs import DeadLetter, QueueName
from services.gateway import state
from services.gateway.http.compression import compressed
from services.gateway.http.responses import Count, Items, NonEmpty, ResponseModel, json_response


class DeadLetterResponse(ResponseModel):
    """A job that has used up its attempts or could not be read."""

    id: NonEmpty
    lane: Annotated[str, Field(json_schema_extra={"enum": [*map(str, QueueName)]})]
    """The queue of the job."""
    task: str
    """The task; empty if the job could not be read."""
    reason: NonEmpty
    """Why the job failed."""
    tries: Count
    """Number of attempts."""
    died: Count
    """When the job failed, in Unix seconds."""
    order: Any
    """The payload; null if it could not be read."""

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


@compressed
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
