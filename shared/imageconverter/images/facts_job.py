"""The job that makes the facts of a source, its outcome, and how clients get the facts."""

import hashlib
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ConfigDict

from imageconverter import keys
from imageconverter.errors import ConversionFailed
from imageconverter.images.source_facts import StoredFacts, find_facts
from imageconverter.jobs import Client, JobQueue, QueueName
from imageconverter.storage.store import ObjectStore, StoredObject

TASK: Final = "make_facts"
GONE: Final = "The source does not exist any more."


class FactsJob(BaseModel):
    """A request to make the facts of a source."""

    model_config = ConfigDict(frozen=True)

    path: str
    etag: str
    background: bool = False
    """Whether images that a person waits for go first."""
    owner: str = ""
    waited: bool = False
    """Both as in `ConversionJob`."""

    @property
    def dedup_key(self) -> str:
        """The same for all jobs that make the same facts."""
        return hashlib.sha256(f"facts\0{self.path}\0{self.etag}".encode()).hexdigest()


class FactsOutcome(BaseModel):
    """The outcome of a job."""

    model_config = ConfigDict(frozen=True)

    found: StoredFacts | None = None
    unavailable: str = ""
    """Why nothing was found; a retry may succeed."""


@dataclass(frozen=True)
class FactsMaker:
    """Gets the facts of sources for clients: the stored ones, or such that are made now."""

    store: ObjectStore
    queue: JobQueue
    limit: int
    """The largest number of jobs in the interactive queue."""

    async def get(
        self, source: StoredObject, client: Client, *, seconds: float, background: bool = False
    ) -> StoredFacts:
        """Return what is known of a *source*; clients that want the same wait for the same job.

        Without *seconds*, only what is stored. Those in the *background* take up half of the queue at most. Raises
        QueueFull, QueueUnavailable, StoreUnavailable, and ConversionFailed if nothing is known in *seconds*.
        """
        found = await find_facts(self.store, source)
        if found is not None:
            return found
        if seconds <= 0:
            raise ConversionFailed("There is no time left to make the facts.")
        job = FactsJob(
            path=source.key.removeprefix(keys.SOURCE),
            etag=source.etag,
            background=background,
            owner=client.owner,
            waited=True,
        )
        job_id = await self.queue.enqueue_or_join(
            QueueName.INTERACTIVE,
            TASK,
            job.dedup_key,
            job.model_dump(exclude_defaults=True),
            limit=max(self.limit // 2, 1) if background else self.limit,
            waited=True,
        )
        outcome = FactsOutcome.model_validate(
            await self.queue.wait(job_id, seconds=seconds, has_left=client.has_left)
        )
        if outcome.found is None:
            raise ConversionFailed(outcome.unavailable)
        return outcome.found
