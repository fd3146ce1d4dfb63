"""Facts jobs: fetch the source, read its facts in the sandbox, store them."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

import structlog

from imageconverter import keys
from imageconverter.engine.facts import Facts
from imageconverter.errors import ImageError, NotAnImage, Unavailable, Undecodable, Unsupported
from imageconverter.images.facts_job import GONE, FactsJob, FactsOutcome
from imageconverter.images.source_facts import StoredFacts, keeps_facts, parse_facts, put_facts
from imageconverter.jobs import JobContext, MovedJob
from imageconverter.storage.store import ObjectStore
from services.worker.client_jobs import ClientJobs
from services.worker.sandbox.pool import SandboxPool

_log = structlog.get_logger(__name__)

_NONE: Final = "The facts could not be read."
# Other failures are due to a limit, the machine or the sandbox: the next request tries again.
_LASTING: Final = (NotAnImage, Undecodable, Unsupported)


@dataclass(frozen=True)
class FactsExecutor:
    """Runs facts jobs."""

    store: ObjectStore
    sandbox: SandboxPool
    max_source_bytes: int

    async def make(self, clients: ClientJobs, context: JobContext, payload: Any) -> None:
        """Make facts and reply to all waiting clients, also if a store is unavailable: they decide on a retry.

        An image that is expensive raises MovedJob unless that is known.
        """
        job = FactsJob.model_validate(payload)
        try:
            making = self._make(job, expensive=clients.are_expensive)
            outcome = await clients.run(context, making, waited=job.waited)
        except MovedJob:
            raise
        except Unavailable as error:
            outcome = FactsOutcome(unavailable=error.reason)
        except Exception:  # noqa: BLE001 - the clients must get a reply in any case
            _log.exception("internal error", job=context["job_id"])
            outcome = FactsOutcome(unavailable="Internal server error.")
        _log.info("facts", source=job.path, reason=outcome.found.reason if outcome.found else outcome.unavailable)
        await clients.queue.publish_result(job.dedup_key, context["job_id"], outcome.model_dump())

    async def give_up(self, clients: ClientJobs, context: JobContext, payload: Any) -> None:
        """Reply to all waiting clients that the image has killed too many workers."""
        job = FactsJob.model_validate(payload)
        outcome = _without(job.etag, "The image has killed too many workers.")
        await clients.queue.publish_result(job.dedup_key, context["job_id"], outcome.model_dump())

    async def _make(self, job: FactsJob, *, expensive: bool) -> FactsOutcome:
        etag = job.etag
        try:
            source, known = await asyncio.gather(
                self.store.get(keys.source(job.path), max_bytes=self.max_source_bytes),
                self.store.get(keys.facts(job.path)),
            )
            if source is None:
                return _without(etag, GONE)
            etag = source.stored.etag  # it may have been replaced since the request
            if (found := parse_facts(known)) is not None and found.etag == etag:
                return FactsOutcome(found=found)  # made by another job a moment ago
            reply = await self.sandbox.convert_with_metadata(
                source.data,
                [],
                interactive=not job.background,
                metadata=False,
                facts=True,
                owner=job.owner or f"facts {job.dedup_key}",
                expensive=expensive,
                may_move=not expensive,
            )
        except ImageError as error:
            outcome = _without(etag, error.reason)
            if not isinstance(error, _LASTING):
                return outcome
        else:
            outcome = FactsOutcome(found=stored_facts(etag, reply.facts))
        if outcome.found is not None and keeps_facts(job.path):
            await put_facts(self.store, job.path, outcome.found)
        return outcome


def _without(etag: str, reason: str) -> FactsOutcome:
    return FactsOutcome(found=StoredFacts(etag=etag, reason=reason))


def stored_facts(etag: str, facts: Facts | None) -> StoredFacts:
    """Return what a conversion of the source with this *etag* has found."""
    return StoredFacts(etag=etag, facts=facts, reason="" if facts is not None else _NONE)
