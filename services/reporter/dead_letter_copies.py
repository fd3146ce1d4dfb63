"""Copies of the dead letters in the object store, in case Redis loses its data.

A reporter makes the copies equal to what Redis has, so that they are bounded as the dead letters are, and no worker
waits for the store.
"""

from collections.abc import Awaitable, Callable

import structlog
from pydantic import BaseModel, ValidationError

from imageconverter import keys
from imageconverter.jobs import DeadLetterRecord
from imageconverter.resources import Resources

_log = structlog.get_logger(__name__)


class _Copy(BaseModel):
    """A dead letter as it is stored."""

    id: str
    failed_at: int
    record: str


async def copy_dead_letters(resources: Resources, has_lost_data: Callable[[], Awaitable[bool]]) -> int:
    """Copy new dead letters, delete the copies of those that were retried or dropped; returns the number of both.

    Nothing is deleted if *has_lost_data*, which is asked after Redis was read: the letters may only be lost. Raises
    QueueUnavailable, StoreUnavailable.
    """
    store, dead = resources.store, resources.queue.dead
    times = await dead.times()
    if await has_lost_data():
        return 0
    wanted = {keys.dead_letter_copy(job_id, failed_at): job_id for job_id, failed_at in times.items()}
    stored = {each.key async for page in store.list(keys.dead_letter_copies()) for each in page}
    missing = [job_id for key, job_id in wanted.items() if key not in stored]
    texts = await dead.texts(missing)
    for job_id, text in texts.items():
        copy = _Copy(id=job_id, failed_at=times[job_id], record=text)
        key = keys.dead_letter_copy(job_id, copy.failed_at)
        await store.put(key, copy.model_dump_json().encode(), content_type="application/json")
    obsolete = stored - wanted.keys()
    await store.delete(obsolete)
    return len(texts) + len(obsolete)


async def restore_dead_letters(resources: Resources) -> int:
    """Restore the dead letters that Redis does not have; returns their number.

    Raises QueueUnavailable, StoreUnavailable.
    """
    known = await resources.queue.dead.times()
    lost = []
    async for page in resources.store.list(keys.dead_letter_copies()):
        for stored in page:
            loaded = await resources.store.get(stored.key)
            if loaded is None:
                continue
            try:
                copy = _Copy.model_validate_json(bytes(loaded.data))
            except ValidationError:
                _log.warning("copy of a dead letter unreadable", key=stored.key)
                continue
            if copy.id not in known:
                lost.append(DeadLetterRecord(copy.id, copy.failed_at, copy.record))
    await resources.queue.dead.restore(lost)
    return len(lost)
