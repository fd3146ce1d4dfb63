"""The calls of one request: bounded, in order, and none after the first error."""

import asyncio
from functools import partial

import pytest

from imageconverter.errors import StoreUnavailable
from imageconverter.storage.bounded import CALLS_AT_ONCE, bounded


class Calls:
    """Calls that count how many are in progress."""

    def __init__(self) -> None:
        """Start with none."""
        self.begun: list[int] = []
        self.running = self.most = 0

    async def call(self, number: int, *, error: Exception | None = None) -> int:
        """Return *number* after a moment, or raise *error*."""
        self.begun.append(number)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(0.001)
            if error is not None:
                raise error
        finally:
            self.running -= 1
        return number


async def test_results_are_in_the_order_of_the_calls() -> None:
    """Of which only a few are in progress at a time."""
    calls = Calls()

    assert await bounded(partial(calls.call, number) for number in range(200)) == list(range(200))
    assert calls.most == CALLS_AT_ONCE


async def test_an_error_ends_the_other_calls() -> None:
    """It is raised itself, and thousands of calls are not made in vain."""
    calls, error = Calls(), StoreUnavailable("It is down.")

    with pytest.raises(StoreUnavailable):
        await bounded(partial(calls.call, number, error=error) for number in range(10_000))
    assert len(calls.begun) <= 2 * CALLS_AT_ONCE
    assert calls.running == 0


async def test_a_canceled_request_makes_no_more_calls() -> None:
    """Those in progress are canceled."""
    calls = Calls()
    request = asyncio.create_task(bounded(partial(calls.call, number) for number in range(10_000)))
    await asyncio.sleep(0.005)
    request.cancel()
    await asyncio.wait([request])
    begun = len(calls.begun)
    await asyncio.sleep(0.01)

    assert calls.running == 0
    assert len(calls.begun) == begun


async def test_no_calls_have_no_results() -> None:
    """An empty list."""
    assert await bounded([]) == []
