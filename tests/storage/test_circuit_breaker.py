"""The circuit breaker opens in an outage and closes afterwards."""

import asyncio
import time

import pytest

from imageconverter.errors import StoreUnavailable
from imageconverter.resources import Resources
from imageconverter.storage.circuit_breaker import CircuitBreaker
from imageconverter.storage.store import ObjectStore
from tests.conftest import storage_settings
from tests.testing.faults import FaultProxy, Mode

AWAY = [Mode.REFUSE, Mode.BLACK_HOLE, Mode.UNAVAILABLE, Mode.DRIP]


@pytest.fixture
async def fragile(servers: dict[str, str], resources: Resources, proxy: FaultProxy) -> ObjectStore:
    """The tests' bucket, reached through the proxy, with the deadline that it has by default."""
    assert not resources.store.is_unavailable  # the bucket is there
    return ObjectStore(storage_settings(servers, endpoint=f"http://127.0.0.1:{proxy.port}", timeout_seconds=4))


async def seconds_to_fail(store: ObjectStore) -> float:
    """Return the time until a call fails because the store is unavailable."""
    began = time.monotonic()
    with pytest.raises(StoreUnavailable):
        await store.put("breaker/a", b"x", content_type="text/plain")
    return time.monotonic() - began


@pytest.mark.slow
@pytest.mark.parametrize("mode", AWAY)
async def test_a_store_that_is_away_is_noticed_within_seconds(
    fragile: ObjectStore, proxy: FaultProxy, mode: Mode
) -> None:
    """However it is away; two seconds on an idle machine, of the four that a call may take."""
    await fragile.put("breaker/a", b"x", content_type="text/plain")
    assert not fragile.is_unavailable
    proxy.fail(mode)
    try:
        assert await seconds_to_fail(fragile) < 3
        assert await fragile.confirm_unavailable()
        assert max(await asyncio.gather(*(seconds_to_fail(fragile) for _ in range(50)))) < 3
    finally:
        proxy.fail(Mode.PASS)


@pytest.mark.slow
@pytest.mark.parametrize("mode", AWAY)
async def test_a_store_that_is_back_is_used_at_once(fragile: ObjectStore, proxy: FaultProxy, mode: Mode) -> None:
    """The first call after an outage looks for itself."""
    proxy.fail(mode)
    await seconds_to_fail(fragile)
    assert await fragile.confirm_unavailable()
    proxy.fail(Mode.REFUSE)  # ends what hangs
    proxy.fail(Mode.PASS)

    await fragile.confirm_unavailable()  # a look that had begun before
    await fragile.put("breaker/a", b"x", content_type="text/plain")
    assert not fragile.is_unavailable


async def test_a_store_that_is_only_read_is_unavailable_to_those_who_write(
    fragile: ObjectStore, proxy: FaultProxy
) -> None:
    """Clients still get the images that are there; workers claim no jobs until it can be written again."""
    await fragile.put("breaker/a", b"x", content_type="text/plain")
    assert await fragile.availability() == "up"
    proxy.fail(Mode.READ_ONLY)
    assert await seconds_to_fail(fragile) < 5

    assert await fragile.confirm_unavailable()
    assert fragile.is_unavailable
    assert await fragile.head("breaker/a") is not None
    assert await fragile.availability() == "read-only"

    proxy.fail(Mode.PASS)
    async with asyncio.timeout(10):
        while fragile.is_unavailable:
            await asyncio.sleep(0.05)
    assert await fragile.availability() == "up"


async def test_who_only_asks_learns_that_the_store_is_back(fragile: ObjectStore, proxy: FaultProxy) -> None:
    """A worker that has paused makes no calls."""
    proxy.fail(Mode.REFUSE)
    await seconds_to_fail(fragile)
    assert await fragile.confirm_unavailable()
    proxy.fail(Mode.PASS)

    async with asyncio.timeout(10):
        while fragile.is_unavailable:
            await asyncio.sleep(0.05)


async def test_a_call_that_fails_alone_does_not_condemn_the_store() -> None:
    """Where a look succeeds, it was something else."""
    looks = 0

    async def look() -> None:
        nonlocal looks
        looks += 1

    breaker = CircuitBreaker(look)
    with pytest.raises(OSError, match="this one"):
        async with breaker.call(5):
            raise OSError("this one")

    assert not await breaker.wait_for_probe()
    assert (looks, breaker.is_open) == (1, False)


async def test_a_slow_call_goes_on_where_the_store_answers_others() -> None:
    """To its own end."""

    async def look() -> None:
        await asyncio.sleep(0)

    breaker = CircuitBreaker(look)
    async with breaker.call(20):
        await asyncio.sleep(2.5)

    assert not breaker.is_open


async def test_a_look_that_is_not_answered_says_nothing_beside_a_large_call() -> None:
    """Ten large uploads keep a store busy; but one that refuses is away."""
    answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def look() -> None:
        await asyncio.shield(answer)

    breaker = CircuitBreaker(look)
    async with breaker.call(4, large=30):
        with pytest.raises(TimeoutError):
            async with breaker.call(0.1):
                await asyncio.sleep(5)
        assert not await breaker.wait_for_probe()

    answer.set_exception(OSError("refused"))
    large = asyncio.create_task(held(breaker))
    with pytest.raises(TimeoutError):
        async with breaker.call(0.1):
            await asyncio.sleep(5)
    with pytest.raises(TimeoutError):
        await large
    assert breaker.is_open


async def test_uploads_that_keep_the_store_busy_together_are_no_outage() -> None:
    """Fifty of one megabyte take as long as one of fifty, and a look takes as long."""

    async def look() -> None:
        await asyncio.sleep(3)

    breaker = CircuitBreaker(look)

    async def upload(seconds: float) -> None:
        async with breaker.call(4, large=0.25):
            await asyncio.sleep(seconds)

    await asyncio.gather(*(upload(each / 10) for each in range(50)))
    assert not breaker.is_open


async def test_a_look_is_not_blamed_for_what_this_process_does() -> None:
    """The event loop was blocked while the answer arrived."""

    async def look() -> None:
        await asyncio.to_thread(time.sleep, 0.01)
        time.sleep(1.5)  # noqa: ASYNC251 - as parsing of many uploads does
        await asyncio.to_thread(time.sleep, 0.01)

    breaker = CircuitBreaker(look)
    with pytest.raises(OSError, match="this one"):
        async with breaker.call(5):
            raise OSError("this one")

    assert not await breaker.wait_for_probe()


async def held(breaker: CircuitBreaker) -> None:
    """Make a large call that is not answered."""
    async with breaker.call(4, large=30):
        await asyncio.sleep(30)
