"""A change of the engine does not cost more instructions without anybody noticing."""

import shutil

import pytest

from bench import instructions
from bench.representative import CONVERSIONS


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
@pytest.mark.timeout(600)
def test_conversions_take_the_instructions_that_are_kept() -> None:
    """Within two percent. After a change that is meant to cost them, or of packages: make instructions."""
    kept, here = instructions.kept(), instructions.environment()
    if kept.python != here.python:
        pytest.skip(f"the numbers are those of Python {kept.python}")
    assert here.packages == kept.packages, "make instructions"
    assert kept.instructions.keys() == CONVERSIONS.keys(), "make instructions"

    assert instructions.differences(instructions.count(), kept) == {}
