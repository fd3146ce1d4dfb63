"""Doing many things at the same time."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

_Result = TypeVar("_Result")


async def gather_all(works: Iterable[Coroutine[Any, Any, _Result]]) -> list[_Result]:
    """Do all *works* at the same time and return what they return, in order.

    Where some fail, the first one's error is raised when all have ended: none goes on behind the caller's back. They
    are not canceled, because that may get lost inside of redis-py; each has its deadline.
    """
    results: list[_Result] = []
    for result in await asyncio.gather(*works, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result
        results.append(result)
    return results
