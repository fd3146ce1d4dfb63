"""Memory of request bodies: what has arrived counts, small bodies are first, and no body waits forever."""

import asyncio
from collections.abc import Coroutine, Iterable, Iterator
from contextlib import ExitStack
from heapq import merge
from typing import Any

import pytest

from imageconverter.errors import TooManyRequests
from imageconverter.settings import MEGABYTE
from services.gateway.http import body_memory
from services.gateway.http.body_memory import BodyMemory, BodyReservation


@pytest.fixture
def memory() -> BodyMemory:
    """Sixteen megabytes."""
    return BodyMemory(16 * MEGABYTE)


async def _start(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    task = asyncio.create_task(work)
    await asyncio.sleep(0)
    return task


async def test_announcing_a_large_body_takes_no_memory(memory: BodyMemory) -> None:
    """A hundred clients that send nothing do not delay the one that does."""
    with ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(memory.body(16 * MEGABYTE))
        with memory.body(8 * MEGABYTE) as body:
            async with asyncio.timeout(20):
                await body.grow(8 * MEGABYTE)
    assert memory.used == 0


async def test_a_small_body_is_served_although_large_ones_wait(memory: BodyMemory) -> None:
    """An eighth of the memory is for small ones."""
    with memory.body(14 * MEGABYTE) as held, memory.body(15 * MEGABYTE) as large, memory.body(1000) as small:
        await held.grow(14 * MEGABYTE)
        waiting = await _start(large.grow(MEGABYTE))
        await small.grow(1000)
        assert not waiting.done()

        held.shrink(0)
        await waiting
        assert memory.used == MEGABYTE + 1000


async def test_the_body_that_needs_the_least_is_next(memory: BodyMemory) -> None:
    """It ends first, and its memory is free for the others then."""
    order: list[str] = []

    async def read(name: str, body: BodyReservation) -> None:
        await body.grow(2 * MEGABYTE)
        order.append(name)

    with memory.body(14 * MEGABYTE) as held, memory.body(9 * MEGABYTE) as large, memory.body(3 * MEGABYTE) as medium:
        await held.grow(14 * MEGABYTE)
        tasks = [await _start(read("large", large)), await _start(read("medium", medium))]
        held.shrink(0)
        await asyncio.gather(*tasks)
    assert order == ["medium", "large"]


async def test_bodies_never_wait_for_each_other(memory: BodyMemory) -> None:
    """Ten that arrive at the same time, of which two fit, are completed one after the other."""
    completed = 0

    async def receive() -> None:
        nonlocal completed
        with memory.body(7 * MEGABYTE) as body:
            for _ in range(28):
                await body.grow(MEGABYTE // 4)
                assert memory.used <= memory.size
                await asyncio.sleep(0)
            completed += 1

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        for _ in range(10):
            group.create_task(receive())
    assert completed == 10
    assert memory.used == 0


async def test_a_body_is_rejected_after_a_while(memory: BodyMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    """If those that have the memory are not finished by then; it leaves nothing behind."""
    monkeypatch.setattr(body_memory, "WAIT_SECONDS", 0.05)
    with memory.body(14 * MEGABYTE) as held:
        await held.grow(14 * MEGABYTE)
        with memory.body(5 * MEGABYTE) as late:
            with pytest.raises(TooManyRequests):
                await late.grow(MEGABYTE)
            assert not memory.is_contended
    assert memory.used == 0


async def test_the_largest_of_too_many_that_wait_is_rejected_at_once(memory: BodyMemory) -> None:
    """Each that waits has something in buffers; smaller ones, which come later, are not rejected for it."""
    async with asyncio.timeout(20):
        with memory.body(14 * MEGABYTE) as held, memory.body(15 * MEGABYTE) as large, ExitStack() as stack:
            await held.grow(14 * MEGABYTE)
            rejected = await _start(large.grow(MEGABYTE))
            others = [stack.enter_context(memory.body(2 * MEGABYTE)) for _ in range(16)]
            waiting = [await _start(other.grow(2 * MEGABYTE)) for other in others[:15]]
            assert not rejected.done()
            waiting.append(await _start(others[15].grow(2 * MEGABYTE)))
            with pytest.raises(TooManyRequests):
                await rejected

            held.shrink(0)
            for task, other in zip(waiting, others, strict=True):
                await task
                other.shrink(0)
    assert memory.used == 0


async def test_the_largest_of_too_many_may_be_canceled_in_that_moment(memory: BodyMemory) -> None:
    """The others are not affected."""
    with memory.body(14 * MEGABYTE) as held, ExitStack() as stack:
        await held.grow(14 * MEGABYTE)
        bodies = [stack.enter_context(memory.body(size * MEGABYTE)) for size in [13] + [2] * 16]
        tasks = [await _start(body.grow(MEGABYTE)) for body in bodies[:16]]
        tasks.append(asyncio.create_task(bodies[16].grow(MEGABYTE)))
        tasks[0].cancel()
        await asyncio.wait(tasks[:1])
        assert not any(task.done() for task in tasks[1:])
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def test_a_canceled_body_makes_room(memory: BodyMemory) -> None:
    """Whether it waits or has been granted its memory in the same moment."""
    with memory.body(14 * MEGABYTE) as held:
        await held.grow(14 * MEGABYTE)
        with memory.body(4 * MEGABYTE) as canceled:
            task = await _start(canceled.grow(2 * MEGABYTE))
            held.shrink(0)
            task.cancel()
            await asyncio.wait([task])
    assert memory.used == 0


async def test_a_body_that_is_alone_may_exceed_the_memory(memory: BodyMemory) -> None:
    """The limit of an upload may be above it."""
    with memory.body(40 * MEGABYTE) as body:
        await body.grow(40 * MEGABYTE)


async def test_thousands_of_slow_bodies_cost_next_to_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte more of one does not look at all of the others."""
    memory, looked_at = BodyMemory(200 * MEGABYTE), 0
    with ExitStack() as stack:
        bodies = [stack.enter_context(memory.body(64 * MEGABYTE)) for _ in range(2000)]
        for body in bodies:
            await body.grow(40_000)

        def counting(*sorted_claims: Iterable[Any]) -> Iterator[Any]:
            nonlocal looked_at
            for each in merge(*sorted_claims):
                looked_at += 1
                yield each

        monkeypatch.setattr("heapq.merge", counting)
        for body in bodies:
            await body.grow(1)

    assert looked_at < 10 * len(bodies)
