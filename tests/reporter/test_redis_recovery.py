"""What a Redis that has lost everything gets back from the store."""

import asyncio
import hashlib
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from imageconverter import keys
from imageconverter.images.formats_file import load_formats
from imageconverter.jobs import QueueName
from imageconverter.previews.reindex import GroupFile
from imageconverter.resources import Resources
from imageconverter.runs import Run, RunRequest, create_run, list_backups, plan_more, save_backup
from services.reporter import redis_recovery
from services.reporter.redis_recovery import advance_epoch, rebuild
from tests.runs.test_store import result, waiting, work
from tests.testing.runs import THUMBNAIL, Client, post, put_sources


async def begun(resources: Resources, count: int) -> Run:
    """Start a run over *count* new sources, as the gateway does."""
    directory = await put_sources(resources, {f"{n:03}.png": b"x" for n in range(count)})
    request = RunRequest(source="directory", directory=directory, formats=(THUMBNAIL,))
    run = await create_run(resources.store, load_formats(None), request)
    await save_backup(resources.store, run)
    await resources.runs.start(run)
    return run


async def kept(resources: Resources) -> list[str]:
    """Return the ids of the runs that the store keeps."""
    return [command.run.id for command in await list_backups(resources.store)]


async def test_a_run_that_redis_has_lost_begins_again(own: Resources) -> None:
    """Under its id, from its order, with all of its sources; what was recorded before does not count."""
    run = await begun(own, 30)
    await plan_more(run.id, own.runs, own.store)
    for index in range(10):
        await own.runs.record(run.id, result(index), index)
    await own.store.put(keys.result_part(run.id, 5), b"{}", content_type="application/x-ndjson")
    await own.redis.flushdb()

    assert await own.runs.status(run.id) is None
    assert await rebuild(own) == 1
    assert await own.runs.run(run.id) == run
    await plan_more(run.id, own.runs, own.store)
    assert await waiting(own, run) == list(range(30))
    await work(own, run)
    stand = await own.runs.status(run.id)
    assert stand is not None
    assert (stand.state, stand.sources.success) == ("finished", 30)
    assert [page async for page in own.store.list(keys.result_parts(run.id))] != []


async def test_nothing_is_done_while_redis_remembers(own: Resources) -> None:
    """A run that goes on is not begun again."""
    run = await begun(own, 3)

    assert await rebuild(own) == 0
    assert await own.runs.history() == [run.id]
    assert await kept(own) == [run.id]


async def test_two_reporters_begin_a_lost_run_once(own: Resources) -> None:
    """Whichever comes first."""
    run = await begun(own, 20)
    await own.redis.flushdb()
    await asyncio.gather(*(rebuild(own) for _ in range(5)))

    assert await own.runs.history() == [run.id]
    await work(own, run)
    stand = await own.runs.status(run.id)
    assert stand is not None
    assert (stand.state, sum(stand.sources)) == ("finished", 20)


async def test_the_order_of_a_run_that_has_ended_is_forgotten(own: Resources) -> None:
    """It would begin again, though it would find nothing to do."""
    run = await begun(own, 3)
    await work(own, run)
    await rebuild(own)
    assert await kept(own) == []

    await own.redis.flushdb()
    await rebuild(own)
    assert not await own.runs.is_running(run.id)
    assert await waiting(own, run) == []


async def test_a_lost_run_waits_for_one_that_was_started_since(
    own: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is one at a time; it is not forgotten meanwhile."""
    monkeypatch.setattr(redis_recovery, "_MIN_BACKUP_AGE", timedelta(0))
    lost = await begun(own, 3)
    await own.redis.flushdb()
    new = await begun(own, 3)
    for _ in range(2):
        assert await rebuild(own) == 0
    await work(own, new)

    assert await rebuild(own) == 1
    await work(own, lost)
    assert await own.runs.history() == [lost.id, new.id]
    await rebuild(own)
    await rebuild(own)
    assert await kept(own) == []


async def test_an_order_whose_run_was_never_begun_stays_for_a_while(own: Resources) -> None:
    """Its gateway may be about to begin it."""
    run = await begun(own, 1)
    await own.redis.delete(keys.run(run.id))
    await rebuild(own)

    assert await kept(own) == [run.id]


async def dumped(redis: Redis) -> dict[bytes, bytes]:
    """Return a copy of the database, as a backup or a replica has it."""
    return {name: await redis.dump(name) async for name in redis.scan_iter()}


async def restore_dump(redis: Redis, dump: dict[bytes, bytes]) -> None:
    """Put the database back into the state of *dump*."""
    await redis.flushdb()
    for name, value in dump.items():
        await redis.restore(name, 0, value)


async def test_a_run_that_an_older_redis_does_not_know_begins_again(
    own: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if it was started a moment after the state that was restored."""
    await advance_epoch(own)
    dump = await dumped(own.redis)
    run = await begun(own, 5)
    await restore_dump(own.redis, dump)
    assert await rebuild(own) == 0  # its gateway could be about to start it

    monkeypatch.setattr(redis_recovery, "_MIN_BACKUP_AGE", timedelta(0))
    assert await rebuild(own) == 1
    await work(own, run)
    stand = await own.runs.status(run.id)
    assert stand is not None
    assert (stand.state, stand.sources.success) == ("finished", 5)


async def test_what_an_older_redis_does_not_know_is_restored_at_once(own: Resources) -> None:
    """If it is older than a minute: runs and previews."""
    await advance_epoch(own)
    dump = await dumped(own.redis)
    run = await begun(own, 5)
    await store_group(own)
    await advance_epoch(own)
    await restore_dump(own.redis, dump)

    assert await rebuild(own) == 2
    assert await own.runs.latest() == run.id
    assert await own.previews.find("a key") is not None
    assert await rebuild(own) == 0


async def store_group(resources: Resources) -> str:
    """Store a group of previews that the index does not know; returns its generation."""
    data = b"a source"
    generation = hashlib.sha256(data).hexdigest()
    file = GroupFile(key="a key", generation=generation, contexts=frozenset({"mail"}), created=1)
    await resources.store.put(keys.preview_source("a key", generation), data, content_type="image/png")
    content = file.model_dump_json().encode()
    await resources.store.put(keys.preview_group("a key"), content, content_type="application/json")
    return generation


async def test_previews_are_found_again(own: Resources) -> None:
    """By their keys."""
    generation = await store_group(own)
    await own.redis.flushdb()

    assert await rebuild(own) == 1
    found = await own.previews.find("a key")
    assert found is not None
    assert found.generation == generation


@pytest.mark.usefixtures("no_run")
async def test_only_a_run_that_was_started_and_not_canceled_is_kept(gateway: Client, resources: Resources) -> None:
    """A refused start keeps nothing, a cancel forgets."""
    await resources.redis.delete(keys.queue(QueueName.BATCH))
    directory = await put_sources(resources, {"a.png": b"x"})
    body = {"source": "directory", "formatList": [THUMBNAIL], "directory": directory}
    before = set(await kept(resources))
    started, _ = await post(gateway, "/images/convert/start", body)
    running = set(await kept(resources)) - before
    refused, _ = await post(gateway, "/images/convert/start", body)
    after_refusal = set(await kept(resources)) - before
    canceled, _ = await post(gateway, "/images/convert/cancel", {})

    assert (started, refused, canceled) == (200, 503, 200)
    assert running == after_refusal == {await resources.runs.latest()}
    assert set(await kept(resources)) == before


async def test_a_loss_just_before_the_number_grows_is_noticed(own: Resources) -> None:
    """It must not begin again in the store as well: the run would wait until its backup is old."""
    for _ in range(3):
        await advance_epoch(own)
    run = await begun(own, 1)
    await own.redis.flushdb()
    await advance_epoch(own)

    assert await rebuild(own) == 1
    assert await own.runs.run(run.id) == run
