"""Ended runs and dead letters that Redis gets back from the store if it has lost everything, or the last moments."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from imageconverter import keys
from imageconverter.errors import StoreUnavailable
from imageconverter.jobs import DeadLetter, QueueName, redis_command
from imageconverter.jobs.dead_letters import dead_letter_record, read_job_body
from imageconverter.resources import Resources
from imageconverter.runs import (
    Counts,
    Run,
    RunStatus,
    archive_run,
    find_status,
    list_backups,
    plan_more,
    read_results,
)
from imageconverter.runs.results import sweep
from services.reporter import redis_recovery
from services.reporter.dead_letter_copies import copy_dead_letters
from services.reporter.redis_recovery import rebuild
from tests.reporter.test_redis_recovery import begun, dumped, restore_dump
from tests.runs.test_store import result, work


async def ended(resources: Resources, count: int = 3) -> str:
    """Do a run over *count* sources; returns its id."""
    run = await begun(resources, count)
    await work(resources, run)
    return run.id


async def set_start(resources: Resources, run_id: str, started: int) -> None:
    """Set the time at which a run was started, which has whole seconds."""
    await redis_command(resources.redis, 4, "HSET", keys.run(run_id), "started", started)


async def status(resources: Resources, run_id: str) -> RunStatus | None:
    """Return the status of a run without the current time."""
    found = await resources.runs.status(run_id)
    return None if found is None else found._replace(now=0)


async def sources(resources: Resources, run_id: str) -> list[str]:
    """Return the sources of the results of a run."""
    page = await read_results(run_id, resources.runs, resources.store, start=0, limit=1000)
    return [each.source for each in page.results]


async def test_ended_runs_are_answered_as_before(own: Resources) -> None:
    """Their status and results, and their order; none is restarted."""
    run_ids = [await ended(own, count) for count in (3, 1, 2)]
    for number, run_id in enumerate(run_ids):
        await set_start(own, run_id, 1000 + number)
    await rebuild(own)
    before = [(await status(own, each), await sources(own, each)) for each in run_ids]
    await own.redis.flushdb()

    assert await rebuild(own) == 3
    assert [(await status(own, each), await sources(own, each)) for each in run_ids] == before
    assert await own.runs.history() == run_ids[::-1]
    assert await own.redis.zcard(keys.queue(QueueName.BATCH)) == 0
    assert await rebuild(own) == 0


async def test_many_runs_that_end_without_a_reporter_are_not_restarted(
    own: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis forgets none of them before their backups are deleted."""
    monkeypatch.setattr(redis_recovery, "_MIN_BACKUP_AGE", timedelta(0))
    run_ids = [await ended(own, 1) for _ in range(25)]

    assert await rebuild(own) == 0
    assert await list_backups(own.store) == []
    assert await own.redis.zcard(keys.queue(QueueName.BATCH)) == 0
    run_ids += [await ended(own, 1)]
    assert [each for each in run_ids if await own.runs.status(each)] == run_ids[-20:]


async def test_canceled_run_stays_canceled(own: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if Redis is lost before its backup was deleted; results that were recorded are kept."""
    monkeypatch.setattr(redis_recovery, "_MIN_BACKUP_AGE", timedelta(0))
    run = await begun(own, 5)
    await plan_more(run.id, own.runs, own.store)
    await own.runs.record(run.id, result(0), 0)
    await own.runs.cancel(run.id, seconds=5)
    backup = await own.store.get(keys.run_backup(run.id))
    assert backup is not None
    assert await archive_run(run.id, own.runs, own.store)
    assert await list_backups(own.store) == []
    await own.store.put(keys.run_backup(run.id), backup.data, content_type="application/json")
    before = await status(own, run.id)
    for key in keys.run(run.id), keys.RUNS:
        await own.redis.delete(key)

    assert await rebuild(own) == 1
    assert await status(own, run.id) == before
    assert before is not None
    assert before.state == "canceled"
    assert await sources(own, run.id) == ["0.png"]
    assert await list_backups(own.store) == []


async def test_running_run_is_not_archived(own: Resources) -> None:
    """It has no summary, and its backup stays."""
    run = await begun(own, 3)

    assert not await archive_run(run.id, own.runs, own.store)
    assert await own.store.head(keys.run_summary(run.id)) is None
    assert [backup.run.id for backup in await list_backups(own.store)] == [run.id]


async def test_older_redis_gets_the_ended_runs_in_order(own: Resources) -> None:
    """A run that ended a moment after the state that was restored is the last one again."""
    first = await ended(own)
    await rebuild(own)
    dump = await dumped(own.redis)
    second = await ended(own)
    await set_start(own, second, 99_999_999_999)
    await rebuild(own)
    await restore_dump(own.redis, dump)

    assert await rebuild(own) == 1
    assert await own.runs.history() == [second, first]


async def test_only_the_newest_runs_are_restored(own: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as Redis keeps."""
    monkeypatch.setattr("imageconverter.runs.summary.RUNS_KEPT", 2)
    for _ in range(3):
        await ended(own, 1)
    await rebuild(own)
    await own.redis.flushdb()

    assert await rebuild(own) == 2


async def test_summaries_are_swept_with_the_results(own: Resources) -> None:
    """After the same time, once Redis does not have the run."""
    run_id = await ended(own)
    await rebuild(own)
    assert await sweep(own.runs, own.store, kept=timedelta(seconds=-5)) == 0
    await own.redis.delete(keys.run(run_id))

    assert await sweep(own.runs, own.store, kept=timedelta(days=1)) == 0
    assert await sweep(own.runs, own.store, kept=timedelta(seconds=-5)) == 2
    assert [stored async for page in own.store.list(keys.RUN_RESULTS) for stored in page] == []


async def test_stored_summary_is_read(own: Resources) -> None:
    """As this release writes it, and with fields of a newer one."""
    text = """
        {"run": {"id": "a", "action": "manual", "batches": [], "formats": []}, "state": "error", "reason": "why",
         "sources": {"error": 1, "skipped": 2, "success": 3, "warning": 4, "new": 5}, "outputs": {"success": 3},
         "sources_total": 10, "outputs_total": 3, "started": 5, "ended": 6, "results": 10, "new": true}
    """
    await own.store.put(keys.run_summary("a"), text.encode(), content_type="application/json")
    await own.redis.flushdb()
    await rebuild(own)

    expected = RunStatus(
        run=Run(id="a", action="manual", batches=(), formats=()),
        state="error",
        sources=Counts(1, 2, 3, 4),
        outputs=Counts(success=3),
        sources_total=10,
        outputs_total=3,
        started=5,
        ended=6,
        now=0,
        reason="why",
        is_counted=True,
    )

    assert await status(own, "a") == expected
    await own.redis.flushdb()
    assert await find_status("a", own.runs, own.store) == expected._replace(now=6)


async def fail(redis: Redis, job_id: str, failed_at: int = 1_000_000) -> None:
    """Add a dead letter as `move_to_dead_letters.lua` does."""
    body = json.dumps({"f": "task", "a": [{"name": job_id}]}).encode()
    text = dead_letter_record("scan", read_job_body(body), "It failed.", attempts=6)
    await redis.zadd(keys.DEAD_LETTER_TIMES, {job_id: failed_at})
    await redis_command(redis, 4, "HSET", keys.DEAD_LETTERS, job_id, text)


async def copies(resources: Resources) -> int:
    """Return the number of copies in the store."""
    return sum([len(page) async for page in resources.store.list(keys.dead_letter_copies())])


async def letters(resources: Resources) -> list[DeadLetter]:
    """Return all dead letters."""
    return await resources.queue.dead.all()


async def test_dead_letters_are_restored(own: Resources) -> None:
    """With reason, arguments and time; they can be retried."""
    job_ids = ["run:1", "../../name\n", uuid4().hex]
    for number, job_id in enumerate(job_ids):
        await fail(own.redis, job_id, 1_000_000 + number)
    before = await letters(own)
    await rebuild(own)
    await own.redis.flushdb()

    assert await rebuild(own) == 3
    assert await letters(own) == before
    assert 0 < await own.redis.ttl(keys.DEAD_LETTERS) <= 30 * 24 * 3600
    await own.queue.dead.retry(job_ids[0])
    assert await own.redis.zrange(keys.queue(QueueName.SCAN), 0, -1) == [job_ids[0].encode()]


async def test_dropped_and_retried_dead_letters_are_not_restored(own: Resources) -> None:
    """Their copies are deleted; one that has failed again is restored with its last time."""
    for job_id in "dropped", "retried", "again":
        await fail(own.redis, job_id)
    await rebuild(own)
    await own.queue.dead.drop("dropped")
    await own.queue.dead.retry("retried")
    await own.queue.dead.retry("again")
    await fail(own.redis, "again", 2_000_000)
    await rebuild(own)
    assert await copies(own) == 1
    await own.redis.flushdb()
    await rebuild(own)

    assert [(each.id, each.failed_at.timestamp()) for each in await letters(own)] == [("again", 2_000_000)]


async def test_older_redis_gets_the_last_dead_letters(own: Resources) -> None:
    """Although the state that was restored is only a moment old."""
    await fail(own.redis, "first")
    await rebuild(own)
    dump = await dumped(own.redis)
    await fail(own.redis, "second")
    await rebuild(own)
    await restore_dump(own.redis, dump)

    assert await rebuild(own) == 1
    assert {each.id for each in await letters(own)} == {"first", "second"}
    assert await copies(own) == 2


async def test_copies_outlive_a_loss_that_is_noticed_while_they_are_compared(own: Resources) -> None:
    """Redis may lose its data between the two."""
    await fail(own.redis, "one")
    await rebuild(own)
    await own.redis.flushdb()

    async def has_lost_data() -> bool:
        return True

    assert await copy_dead_letters(own, has_lost_data) == 0
    assert await copies(own) == 1


async def test_dead_letter_survives_an_outage_of_the_store(own: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stays in Redis, and the next call copies it."""
    put = own.store.put

    async def unavailable(key: str, *args: Any, **options: Any) -> str:
        if key.startswith(keys.dead_letter_copies()):
            raise StoreUnavailable("The object store is unavailable.")
        return await put(key, *args, **options)

    await fail(own.redis, "one")
    with monkeypatch.context() as patch:
        patch.setattr(own.store, "put", unavailable)
        with pytest.raises(StoreUnavailable):
            await rebuild(own)
    assert [each.id for each in await letters(own)] == ["one"]
    await rebuild(own)

    assert await copies(own) == 1


async def test_unreadable_copies_are_skipped(own: Resources) -> None:
    """They do not prevent the recovery of others."""
    await ended(own)
    await fail(own.redis, "one")
    await rebuild(own)
    for key in keys.run_summary("broken"), keys.dead_letter_copy("broken", 1):
        await own.store.put(key, b"{", content_type="application/json")
    await own.redis.flushdb()

    assert await rebuild(own) == 2
