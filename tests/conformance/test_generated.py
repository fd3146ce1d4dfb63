"""The generated files of tests/testing/conformance_cases.py are converted to what the specifications say."""

from collections.abc import AsyncIterator

import pytest
from PIL import Image

from imageconverter.engine import identify
from imageconverter.engine.source_types import HEAD_BYTES
from imageconverter.settings import WorkerSettings
from services.worker.sandbox.pool import SandboxPool
from tests.conformance.conversion import LIMITS, convert
from tests.conformance.reading import Reading
from tests.conformance.verdicts import judge
from tests.testing.conformance_cases import CASES, ConformanceCase


async def _specified(case: ConformanceCase) -> AsyncIterator[Reading]:
    """Yield what the specification says, as if a reader had read it."""
    if case.verdict == "refused rightly":
        yield Reading("the specification", complaint="The file is damaged.")
    else:
        yield Reading("the specification", [Image.fromarray(case.shows).convert("RGBA")])


@pytest.fixture(scope="module")
async def pool() -> AsyncIterator[SandboxPool]:
    """A pool of one process."""
    async with SandboxPool(WorkerSettings(children=1), max_pixels=LIMITS.pixels) as started:
        yield started


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_generated_file_is_converted_as_specified(case: ConformanceCase, pool: SandboxPool) -> None:
    """The verdict is the one of the table, by the same rules as for the files of `make conformance`."""
    data = case.make()
    found = identify(data[:HEAD_BYTES])
    assert found is not None
    judgment = await judge(await convert(pool, data), _specified(case), found.name)

    assert judgment.verdict == case.verdict, judgment
