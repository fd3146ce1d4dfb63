"""The leases of one worker on jobs of its queue. Each change is one script, and fenced by the worker's token."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from arq.constants import retry_key_prefix
from redis.asyncio import Redis

from imageconverter import keys
from imageconverter.jobs.dead_letters import DEAD_LETTER_SECONDS, MAX_DEAD_LETTERS
from imageconverter.jobs.lease_token import has_ended, local_host, new_token
from imageconverter.jobs.queue_name import QueueName, job_key, lease_key
from imageconverter.jobs.scripts import script_text

LEASE_SECONDS = 3.0
# Running jobs stay at the head of their queue. What one search does not reach, the next one does.
_SEARCH_LIMIT = 1000
_QUARANTINE_ATTEMPTS = 2


class ClaimedJob(NamedTuple):
    """A job that the worker has a lease on from now on."""

    id: str
    score: int
    """Since when it waits, in milliseconds since 1970 by the clock of Redis."""
    body: bytes | None
    """None if it was lost."""
    attempts: int
    """Its attempts, with the one that begins."""


class FinishedJob(NamedTuple):
    """A job whose attempt has ended, so that the worker gives up its lease."""

    id: str
    is_done: bool
    """Whether it is acknowledged; otherwise it is requeued."""
    delay_ms: int = 0
    """After which it is run again; 0: it keeps its place in the queue, and no attempt is counted."""


class HeldJob(NamedTuple):
    """What Redis has of a job that the worker has a lease on."""

    body: bytes | None
    """None if it was lost."""
    attempts: int


class Leases:
    """The leases of a worker. All methods raise RedisError or OSError if Redis does not answer."""

    def __init__(self, queue: QueueName, redis: Redis) -> None:
        """Begin with no lease on jobs of *queue*."""
        self.quarantined_waits = False
        """Whether the last search for other jobs has left a quarantined one waiting."""
        self._queue = keys.queue(queue)
        self._redis = redis
        self._token = new_token()
        self._search_start = 0
        self._finish_and_claim = redis.register_script(script_text("imageconverter.jobs", "finish_and_claim"))
        self._release_orphans = redis.register_script(script_text("imageconverter.jobs", "release_orphans"))
        self._renew = redis.register_script(script_text("imageconverter.jobs", "renew"))
        self._move = redis.register_script(script_text("imageconverter.jobs", "move"))
        self._move_to_dead_letters = redis.register_script(script_text("imageconverter.jobs", "move_to_dead_letters"))

    async def finish_and_claim(
        self, finished: Sequence[FinishedJob], count: int, *, running: Collection[str], quarantined: bool = False
    ) -> list[ClaimedJob]:
        """Finish jobs and claim up to *count* others in one step, of those that are *quarantined* or of the rest.

        Those that the worker is *running* are not claimed again if they have lost their leases meanwhile.
        """
        quarantined_waits, next_start, *claimed = await self._finish_and_claim(
            keys=[self._queue],
            args=[
                lease_key(""),
                job_key(""),
                retry_key_prefix,
                keys.waiters(""),
                self._token,
                int(LEASE_SECONDS * 1000),
                count,
                _SEARCH_LIMIT,
                _QUARANTINE_ATTEMPTS,
                int(quarantined),
                self._search_start,
                len(finished),
                *(value for each in finished for value in (each.id, int(each.is_done), each.delay_ms)),
                *running,
            ],
        )
        if count:
            self.quarantined_waits, self._search_start = bool(quarantined_waits), next_start
        return [
            ClaimedJob(job_id.decode(), int(float(score)), body, attempts)
            for job_id, score, body, attempts in zip(*(claimed[part::4] for part in range(4)), strict=True)
        ]

    async def renew(self, job_ids: Sequence[str]) -> list[str]:
        """Renew leases; returns the ids of the jobs whose leases were lost."""
        lost = await self._renew(
            keys=[self._queue, *map(lease_key, job_ids)],
            args=[self._token, int(LEASE_SECONDS * 1000), *job_ids],
        )
        return [key.decode().removeprefix(lease_key("")) for key in lost]

    async def move(self, job_id: str, target: QueueName) -> None:
        """Move a job to the queue *target*."""
        await self._move(
            keys=[lease_key(job_id), self._queue, retry_key_prefix + job_id, keys.queue(target), keys.wake(target)],
            args=[self._token, job_id],
        )

    async def move_to_dead_letters(self, job_id: str, record: str) -> None:
        """Move a job to the dead letters; *record* is what is kept of it."""
        await self._move_to_dead_letters(
            keys=[*self._keys(job_id), keys.DEAD_LETTER_TIMES, keys.DEAD_LETTERS],
            args=[self._token, job_id, record, MAX_DEAD_LETTERS, DEAD_LETTER_SECONDS],
        )

    async def held(self, job_id: str) -> HeldJob | None:
        """Return a job; None if another worker has it, or if it is done."""
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.mget(lease_key(job_id), job_key(job_id), retry_key_prefix + job_id)
            ((holder, body, attempts),) = await pipe.execute()
        return HeldJob(body, int(attempts or 0)) if holder == self._token.encode() else None

    async def release_orphans(self) -> None:
        """End the leases of workers that have ended on this host, as by a kill, so that their jobs need not wait."""
        host = local_host()
        if not host:
            return
        arguments: list[str | int] = [lease_key(""), host, _SEARCH_LIMIT]
        tokens = [token.decode() for token in await self._release_orphans([self._queue], arguments)]
        if ended := [token for token in tokens if has_ended(token)]:
            await self._release_orphans([self._queue], [*arguments, *ended])

    def _keys(self, job_id: str) -> list[str]:
        return [lease_key(job_id), self._queue, job_key(job_id), retry_key_prefix + job_id, keys.waiters(job_id)]
