"""What `bench compare` measures in a tree: ``python -m bench.compared NAME``.

Answers each line of the standard input with a round: a JSON object of milliseconds by what took them.
"""

import asyncio
import io
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from bench.load import generate_load, generate_requests
from bench.peers.over_http import FORMAT, uploads
from bench.photographs import photograph
from bench.representative import CONVERSIONS
from bench.stack import SIZES, running_stack, through_stack
from imageconverter.engine.pipeline import convert

_REPEATS: Final = 3
_PREVIEW_SECONDS, _CONNECTIONS = 2, 4
_FIRST: Final = f"/imageconverter/getImage/new0/{FORMAT}"

Round = Callable[[], dict[str, float]]


@contextmanager
def engine() -> Iterator[Round]:
    """Measure the CPU of ten conversions, each the least of a few."""
    sources = {name: conversion.source() for name, conversion in CONVERSIONS.items()}

    def seconds(name: str) -> float:
        began = time.process_time()
        convert(io.BytesIO(sources[name]), CONVERSIONS[name].targets)
        return time.process_time() - began

    yield lambda: {name: 1000 * min(seconds(name) for _ in range(_REPEATS)) for name in CONVERSIONS}


@contextmanager
def stack() -> Iterator[Round]:
    """Measure the time of an upload that is converted, and the CPU of the processes of the stack."""
    images = {name: [photograph(*size, seed) for seed in range(4)] for name, size in SIZES.items()}
    with running_stack() as (port, supervisor):

        def measure() -> dict[str, float]:
            result: dict[str, float] = {}
            for name in SIZES:
                measured = asyncio.run(through_stack(port, images[name], supervisor))
                result[f"{name}, time"] = 1000 / measured.rate
                result |= {f"{name}, CPU of {part}": 1000 * seconds for part, seconds in measured.cpu.items()}
            return result

        yield measure


@contextmanager
def previews() -> Iterator[Round]:
    """Measure the time of new and of cached previews of 2 MP."""
    sources = [photograph(*SIZES["2 MP"], seed) for seed in range(4)]
    with running_stack() as (port, _):
        upload = uploads(port, sources)

        def measure() -> dict[str, float]:
            new = asyncio.run(generate_requests(port, upload, seconds=_PREVIEW_SECONDS, connections=_CONNECTIONS))
            cached = asyncio.run(generate_load(port, _FIRST, seconds=_PREVIEW_SECONDS, connections=_CONNECTIONS))
            return {"new": 1000 / new.rate, "cached": 1000 / cached.rate}

        yield measure


MEASURES: Final[dict[str, Callable[[], AbstractContextManager[Round]]]] = {
    "engine": engine,
    "stack": stack,
    "previews": previews,
}


def main() -> None:
    """Measure what the command line names, whenever a line arrives."""
    with MEASURES[sys.argv[1]]() as measure:
        for _ in sys.stdin:
            print(json.dumps(measure()), flush=True)


if __name__ == "__main__":
    main()
