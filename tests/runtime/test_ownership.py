"""Which of several stacks on one bucket may use it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from imageconverter import keys, ownership
from imageconverter.errors import BucketNotOwned, StoreUnavailable
from imageconverter.jobs import QueueName
from imageconverter.ownership import Ownership
from imageconverter.resources import Resources, open_resources, wait_for_bucket
from imageconverter.settings import RedisSettings, Settings
from imageconverter.storage.store import LoadedObject, ObjectStore, StoredObject
from services.reporter.main import run as run_reporter
from services.worker.main import run as run_worker
from tests.conftest import MakeSettings, storage_settings

Stacks = tuple[Resources, Resources]


@pytest.fixture
def settings(servers: dict[str, str], make_settings: MakeSettings) -> tuple[Settings, Settings]:
    """The settings of two stacks with one new bucket, each with a database of Redis."""
    storage = storage_settings(servers, bucket=f"owned-{uuid4().hex[:12]}")
    url = servers["IMAGECONVERTER_REDIS_URL"].rpartition("/")[0]
    first, second = (make_settings(redis=RedisSettings(url=f"{url}/{each}"), storage=storage) for each in (14, 15))
    return first, second


@pytest.fixture
async def stacks(settings: tuple[Settings, Settings]) -> AsyncIterator[Stacks]:
    """The two stacks; there is nothing in their databases."""

    @asynccontextmanager
    async def stack(settings: Settings) -> AsyncIterator[Resources]:
        async with open_resources(settings, retry_timeout=20) as resources:
            await wait_for_bucket(resources.store)
            await resources.redis.flushdb()
            yield resources
            await resources.redis.flushdb()

    async with stack(settings[0]) as first, stack(settings[1]) as second:
        yield first, second


async def owns(stack: Ownership) -> bool:
    """Claim the bucket; returns whether *stack* owns it."""
    await stack.claim()
    return not stack.problem


def another_process(resources: Resources) -> Ownership:
    """Return the ownership as a new process of the stack knows it."""
    return Ownership(resources.store, resources.redis)


async def mark_of(resources: Resources) -> bytes:
    """Return the ownership mark."""
    mark = await resources.store.get(keys.OWNER)
    assert mark is not None
    return bytes(mark.data)


async def test_a_second_stack_does_not_get_the_bucket(stacks: Stacks) -> None:
    """However often it asks; the reason says what to do."""
    first, second = stacks
    assert await owns(first.ownership)
    mark = await mark_of(first)

    assert [await owns(second.ownership) for _ in range(3)] == [False] * 3
    assert await mark_of(first) == mark
    with pytest.raises(BucketNotOwned, match=r"Another stack owns the bucket.*IMAGECONVERTER_S3_BUCKET"):
        second.ownership.require()
    assert await owns(first.ownership)


async def test_all_processes_of_a_stack_own_the_bucket(stacks: Stacks) -> None:
    """Also if they all start at the same moment, beside those of another stack."""
    processes = [[another_process(stack) for _ in range(4)] for stack in stacks]
    await asyncio.gather(*(each.claim() for stack in processes for each in stack))

    found = [{not each.problem for each in stack} for stack in processes]
    assert found in ([{True}, {False}], [{False}, {True}])


async def test_an_abandoned_bucket_goes_to_another_stack(stacks: Stacks, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the first one is refused when it comes back."""
    first, second = stacks
    assert await owns(first.ownership)
    monkeypatch.setattr(ownership, "_LEASE", timedelta(seconds=1))
    await asyncio.sleep(2.1)  # the store's dates are in whole seconds

    assert await owns(second.ownership)
    assert not await owns(first.ownership)


async def test_a_step_of_the_clock_of_the_store_abandons_no_bucket(
    stacks: Stacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another stack has waited for it, and the mark seems to be 40 days old."""
    first, second = stacks
    assert await owns(first.ownership)
    assert not await owns(second.ownership)
    head = second.store.head

    async def head_40_days_ahead(key: str) -> StoredObject | None:
        stored = await head(key)
        return stored and replace(stored, modified=stored.modified + timedelta(days=40))

    monkeypatch.setattr(second.store, "head", head_40_days_ahead)
    assert not await owns(second.ownership)


async def test_a_renewal_in_the_last_moment_prevents_a_takeover(
    stacks: Stacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the mark and its replacement."""
    first, second = stacks
    assert await owns(first.ownership)

    async def renew_meanwhile(_claimer: Ownership, mark: LoadedObject | None) -> bool:
        assert mark is not None
        assert await owns(first.ownership)
        return True

    monkeypatch.setattr(Ownership, "_is_abandoned", renew_meanwhile)
    assert not await owns(second.ownership)


async def test_a_stack_whose_redis_loses_its_data_keeps_the_bucket(stacks: Stacks) -> None:
    """Its processes know the id, and one that starts meanwhile has it after their next renewal."""
    first, second = stacks
    assert await owns(first.ownership)
    new = another_process(first)
    await first.redis.flushdb()
    assert not await owns(new)
    assert not await owns(second.ownership)

    assert await owns(first.ownership)
    assert await owns(new)


async def test_a_process_that_could_not_renew_the_mark_does_not_use_the_bucket(
    stacks: Stacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was frozen, or cut off from the store, and another stack may own the bucket now."""
    first, _ = stacks
    monkeypatch.setattr(ownership, "_HELD_SECONDS", 0)

    assert not await owns(first.ownership)
    assert "not confirmed" in first.ownership.problem


async def test_a_store_that_is_full_does_not_take_the_bucket_from_its_owner(
    stacks: Stacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot be written, but shows whose it is, also to a process that starts meanwhile; others do not get it."""
    first, second = stacks
    assert await owns(first.ownership)

    async def full(*_arguments: object, **_options: object) -> bool:
        raise StoreUnavailable("full")

    monkeypatch.setattr(ObjectStore, "replace", full)
    new, other = another_process(first), another_process(second)
    for process in (first.ownership, new):
        async with process.kept():
            await asyncio.sleep(0.5)
            assert not process.problem
    assert not await owns(other)


async def test_a_process_uses_the_bucket_only_after_its_first_claim(stacks: Stacks) -> None:
    """And keeps it from then on."""
    first, _ = stacks
    async with first.ownership.kept():
        assert "not confirmed" in first.ownership.problem
        async with asyncio.timeout(10):
            while first.ownership.problem:
                await asyncio.sleep(0.01)
    assert (await mark_of(first)).startswith(await first.redis.get(keys.STACK))


@pytest.mark.parametrize(
    ("run", "queue"),
    [
        (run_worker, QueueName.INTERACTIVE),
        (run_worker, QueueName.EXPENSIVE),
        (run_worker, QueueName.BATCH),
        (run_reporter, QueueName.SCAN),
    ],
)
async def test_no_job_is_executed_while_another_stack_owns_the_bucket(
    stacks: Stacks,
    settings: tuple[Settings, Settings],
    monkeypatch: pytest.MonkeyPatch,
    run: Callable[[Settings, asyncio.Event], Coroutine[Any, Any, None]],
    queue: QueueName,
) -> None:
    """Nor a periodic task; both continue as soon as the bucket is free."""
    monkeypatch.setattr(ownership, "_RENEWAL_SECONDS", 0.1)
    first, second = stacks
    assert await owns(first.ownership)
    await second.queue.enqueue(queue, "unknown", "a job", {})
    stopping = asyncio.Event()
    running = asyncio.create_task(run(settings[1], stopping))
    try:
        async with asyncio.timeout(20):
            while not [*await second.queue.live_processes("worker"), *await second.queue.live_processes("reporter")]:
                await asyncio.sleep(0.05)
        await asyncio.sleep(1)
        assert await second.queue.depth(queue) == 1
        assert await second.queue.periodic_stats() == {}

        await first.store.delete([keys.OWNER])
        async with asyncio.timeout(20):
            while await second.queue.depth(queue):
                await asyncio.sleep(0.05)
    finally:
        stopping.set()
        await running
