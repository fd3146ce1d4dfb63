"""Many calls of the store for one request, without taking its connections from the other requests."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeVar

CALLS_AT_ONCE: Final = 16
"""Of one request; the store has connections for several such requests."""

Result = TypeVar("Result")


async def bounded(calls: Iterable[Callable[[], Awaitable[Result]]]) -> list[Result]:
    """Run *calls*, at most CALLS_AT_ONCE at a time, and return their results in the same order.

    The first error is raised as soon as it occurs, and so is a cancellation; the calls that have not finished are
    canceled, and the others not made.
    """
    numbered = enumerate(calls)
    results: dict[int, Result] = {}

    async def work() -> None:
        for number, call in numbered:
            results[number] = await call()

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(CALLS_AT_ONCE):
                group.create_task(work())
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [results[number] for number in range(len(results))]
