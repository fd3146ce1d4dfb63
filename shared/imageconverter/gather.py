"""Concurrent execution without cancellation."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

_Result = TypeVar("_Result")


async def gather_all(works: Iterable[Coroutine[Any, Any, _Result]]) -> list[_Result]:
    """Run all *works* concurrently and return their results in order.

    If some fail, raises the error of the first one after all have ended. The others are not canceled, because
    redis-py can lose a cancellation; each has a deadline of its own.
    """
    results: list[_Result] = []
    for result in await asyncio.gather(*works, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result
        results.append(result)
    return results
