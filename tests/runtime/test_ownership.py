"""Which of several stacks on one bucket may use it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

import pytest

from imageconverter import keys, ownership
from imageconverter.errors import BucketNotOwned
from imageconverter.ownership import Ownership
from imageconverter.resources import Resources, open_resources, wait_for_bucket
from imageconverter.settings import RedisSettings
from imageconverter.storage.store import LoadedObject
from tests.conftest import MakeSettings, storage_settings

Stacks = tuple[Resources, Resources]


@pytest.fixture
async def stacks(servers: dict[str, str], make_settings: MakeSettings) -> AsyncIterator[Stacks]:
    """Two stacks with one new bucket, each with an empty database of Redis."""
    bucket = f"owned-{uuid4().hex[:12]}"

    @asynccontextmanager
    async def stack(database: int) -> AsyncIterator[Resources]:
        url = f"{servers['IMAGECONVERTER_REDIS_URL'].rpartition('/')[0]}/{database}"
        settings = make_settings(redis=RedisSettings(url=url), storage=storage_settings(servers, bucket=bucket))
        async with open_resources(settings, retry_timeout=4) as resources:
            await wait_for_bucket(resources.store)
            await resources.redis.flushdb()
            yield resources
            await resources.redis.flushdb()

    async with stack(14) as first, stack(15) as second:
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


async def test_a_process_uses_the_bucket_only_after_its_first_claim(stacks: Stacks) -> None:
    """And keeps it from then on."""
    first, _ = stacks
    async with first.ownership.kept():
        assert "not confirmed" in first.ownership.problem
        async with asyncio.timeout(10):
            while first.ownership.problem:
                await asyncio.sleep(0.01)
    assert (await mark_of(first)).startswith(await first.redis.get(keys.STACK))
