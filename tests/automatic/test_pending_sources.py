"""Pending sources, and what becomes of them if processes overlap or are killed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from imageconverter import keys
from imageconverter.automatic import AutomaticFormats, pending_sources, scan_store
from imageconverter.automatic.automatic_run import start_run
from imageconverter.automatic.orphans import Orphan
from imageconverter.automatic.pending_sources import PendingState, Submission
from imageconverter.automatic.scan import scan_more
from imageconverter.jobs import QueueName, redis_command
from imageconverter.runs import Run
from imageconverter.storage.store import ObjectStore, StoredObject
from tests.automatic.conftest import Shop

pytestmark = pytest.mark.usefixtures("no_run")


async def start(shop: Shop) -> Run | None:
    """Start a run as a reporter does."""
    own = shop.resources
    return await start_run(own.pending_sources, AutomaticFormats(own.formats.subshops.formats), own.runs, own.store)


async def submit(shop: Shop, *names: str) -> None:
    """Store sources and submit them."""
    for name in names:
        await shop.put_behind(name, name.encode())
        await shop.resources.pending_sources.submit([(f"{shop.directory}/{name}", "")])


async def test_of_several_reporters_one_starts_a_run(shop: Shop) -> None:
    """Those that come late find nothing, or a run with the same id."""
    pending = shop.resources.pending_sources
    await submit(shop, *(f"{number}.png" for number in range(5)))
    await asyncio.gather(*(start(shop) for _ in range(5)))
    assert len(await shop.runs()) == 1
    assert await pending.state() == (0, False, None)


async def test_a_run_that_was_started_by_a_killed_reporter_is_not_started_again(shop: Shop) -> None:
    """It was killed before it removed the sources."""
    pending = shop.resources.pending_sources
    await submit(shop, "a.png")
    taken = await pending.first(1)
    run = await start(shop)
    assert run is not None
    await shop.resources.runs.cancel(run.id, seconds=20)
    await shop.resources.redis.zadd(keys.AUTOMATIC_PENDING, {taken[0].path: taken[0].number})
    assert await start(shop) == run
    assert not await shop.resources.runs.is_running(run.id)
    assert (await pending.state()).waiting == 0


async def test_a_source_that_is_submitted_again_stays_pending(shop: Shop) -> None:
    """The run may have converted what it was before."""
    pending = shop.resources.pending_sources
    path = f"{shop.directory}/a.png"
    await pending.submit([(path, "")])
    taken = await pending.first(10)
    await pending.submit([(path, "")])
    await pending.remove(taken)
    (again,) = await pending.first(10)
    assert again.number > taken[0].number
    await pending.remove([again])
    assert await pending.first(10) == []


async def test_sources_wait_for_an_automatic_run_that_is_running(shop: Shop) -> None:
    """The next run has all that have come meanwhile."""
    await submit(shop, "a.png")
    first = await start(shop)
    assert first is not None
    await submit(shop, "b.png", "c.png", "b.png")
    assert await start(shop) is None
    await shop.resources.runs.cancel(first.id, seconds=20)
    second = await start(shop)
    assert second is not None
    assert second.batches[0].sources == (f"{shop.directory}/b.png", f"{shop.directory}/c.png")


async def test_sources_of_no_automatic_format_and_those_that_are_gone_are_dropped(shop: Shop) -> None:
    """The formats have changed since, or the source was deleted."""
    await shop.resources.pending_sources.submit([("elsewhere/a.png", ""), (f"{shop.directory}/a.png", "")])
    assert await start(shop) is None
    assert (await shop.resources.pending_sources.state()).waiting == 0


async def test_a_flood_is_bounded_and_ends_in_a_scan(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost: the scan finds what had no room, also its versions."""
    monkeypatch.setattr(pending_sources, "MAX_PENDING", 3)
    pending = shop.resources.pending_sources
    added = await pending.submit((f"{shop.directory}/{number}.png", f"v{number}") for number in range(5))
    assert (added, await pending.state()) == (3, PendingState(3, is_requested=True, cursor=None))
    await shop.resources.redis.delete(keys.AUTOMATIC_PENDING)
    again = await pending.submit((f"{shop.directory}/{number}.png", f"v{number}") for number in range(5))
    assert again == 2


async def test_a_number_of_a_submission_is_never_used_again(shop: Shop) -> None:
    """Also if Redis has lost everything, or its clock was set back: the id of a run follows from it."""
    pending = shop.resources.pending_sources
    async with shop.resources.redis.pipeline() as pipe:
        pipe.hset(keys.AUTOMATIC, "number", "4000000000000")
        await pipe.execute()
    await pending.submit([("a", ""), ("b", "")])
    assert await pending.first(2) == [Submission("a", 4_000_000_000_001), Submission("b", 4_000_000_000_002)]


async def test_an_interrupted_scan_goes_on_where_it_was(shop: Shop, image: Callable[[int], bytes]) -> None:
    """Each source is submitted once, by whichever reporter."""
    for name in ("a.png", "b.png", "large/c.png"):
        await shop.put_behind(name, image(1))
    own, formats = shop.resources, AutomaticFormats(shop.resources.formats.subshops.formats)
    await own.scans.begin()
    submitted, calls = 0, 0
    while (cursor := (await own.pending_sources.state()).cursor) is not None:
        submitted += await scan_more(
            own.scans, own.pending_sources, formats, own.store, cursor=cursor, seconds=0, max_share=0
        )
        calls += 1
    assert (submitted, calls) == (3, 2)
    assert [each.path for each in await own.pending_sources.first(9)] == [
        f"{shop.directory}/{name}" for name in ("a.png", "b.png", "large/c.png")
    ]


async def test_a_request_while_a_scan_begins_is_not_lost(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scan has its share, or the next one."""
    own, shares = shop.resources, iter((0.25, 0.5, 0.75))
    last = 0.0

    async def request(redis: Redis, retry_timeout: float, *command: Any) -> Any:
        nonlocal last
        found, last = await redis_command(redis, retry_timeout, *command), next(shares)
        await redis_command(redis, retry_timeout, "HSET", keys.AUTOMATIC, "requested", 1, "share", last)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(scan_store, "redis_command", request)
        await own.scans.begin()
    assert (await own.scans.record()).share == last > 0
    assert not (await own.pending_sources.state()).is_requested


async def test_a_lease_is_renewed_and_only_its_holder_ends_it(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if another reporter has it by then, because the process stood still."""
    monkeypatch.setattr(pending_sources, "_LEASE_SECONDS", 3)
    redis, pending = shop.resources.redis, shop.resources.pending_sources

    async def holder() -> bytes | None:
        found: bytes | None = await redis_command(redis, 5, "GET", keys.AUTOMATIC_LEASE)
        return found

    async with pending.claimed() as first:
        async with pending.claimed() as second:
            assert (first, second) == (True, False)
        token = await holder()
        assert token is not None
        await redis.delete(keys.AUTOMATIC_LEASE)
        async with asyncio.timeout(20):
            while await holder() != token:
                await asyncio.sleep(0.01)
        await redis_command(redis, 5, "SET", keys.AUTOMATIC_LEASE, "another")
    assert await holder() == b"another"
    await redis.delete(keys.AUTOMATIC_LEASE)
    async with pending.claimed() as again:
        assert again
    assert await holder() is None


async def test_a_scan_that_was_overtaken_changes_nothing_of_the_next_one(
    shop: Shop, image: Callable[[int], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another reporter has ended it and begun the next one, which has found an orphan."""
    await shop.put_behind("a.png", image(1))
    own, formats = shop.resources, AutomaticFormats(shop.resources.formats.subshops.formats)
    listing = ObjectStore.list

    async def overtaken(store: ObjectStore, prefix: str, *, after: str = "") -> AsyncIterator[list[StoredObject]]:
        await own.scans.end(scan=(await own.scans.record()).started, refusals=[], trash=[], moved=0)
        await own.scans.begin()
        scan = (await own.scans.record()).started
        orphan = Orphan(path="a", source="b", format="c", bytes=1, etag="d", since=scan, seen=scan)
        await own.scans.put_orphans([orphan])
        async for page in listing(store, prefix, after=after):
            yield page

    await own.scans.begin()
    await own.scans.put_orphans(
        [Orphan(path="a", source="b", format="c", bytes=1, etag="d", since="before", seen="before")]
    )
    with monkeypatch.context() as patch:
        patch.setattr(ObjectStore, "list", overtaken)
        await scan_more(own.scans, own.pending_sources, formats, own.store, cursor="", seconds=60, max_share=0)
    record = await own.scans.record()
    assert (record.ended, record.counts) == ("", {})
    assert (await own.pending_sources.state()).cursor == ""
    assert [each.seen for each in (await own.scans.orphans()).values()] == [record.started]


async def test_the_run_is_in_the_queue_of_runs(shop: Shop) -> None:
    """Not in that of people."""
    await submit(shop, "a.png")
    run = await start(shop)
    assert run is not None
    ids = await shop.resources.redis.zrange(keys.queue(QueueName.BATCH), 0, -1)
    assert f"{run.id}:plan:0".encode() in ids
