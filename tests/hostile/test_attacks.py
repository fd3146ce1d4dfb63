"""The catalog is complete: each number has a test, or a reason why there is none."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tests
from tests.hostile import (
    bodies,
    broken,
    exchanges,
    formats,
    test_access,
    test_images_at_the_gateway,
    test_responses,
    test_transport,
)
from tests.hostile import names as file_names
from tests.hostile.attacks import COUNT, COVERED, NOT_APPLICABLE
from tests.hostile.case import Case, Covered
from tests.testing import bombs

ROOT = Path(tests.__file__).parents[1]
MODULES = (
    *(bodies, bombs, broken, exchanges, formats, file_names),
    *(test_access, test_images_at_the_gateway, test_responses, test_transport),
)


def cases() -> Iterator[Case[Any, Any]]:
    """Yield the cases of all tables; those that several modules import are counted once."""
    tables = {id(value): value for module in MODULES for value in vars(module).values() if isinstance(value, list)}
    for table in tables.values():
        yield from (each for each in table if isinstance(each, Case))
    yield from broken.families()


def test_every_number_is_covered() -> None:
    """By a table, by another test, or by a reason."""
    tried = {case.number for case in cases()}
    covered = {each.number for each in COVERED}
    not_applicable = {each.number for each in NOT_APPLICABLE}

    assert tried | covered | not_applicable == set(range(1, COUNT + 1))
    assert not (tried | covered) & not_applicable


def test_the_catalog_is_large_enough() -> None:
    """Most entries are tested here, with several variants; few are excluded, and ids are unique."""
    every = list(cases())

    assert len(every) > 500
    assert len(NOT_APPLICABLE) < 5
    assert len(COVERED) == len({each.number for each in COVERED})
    assert all(each.what and each.reason.endswith(".") for each in NOT_APPLICABLE)


@pytest.mark.parametrize("covered", COVERED, ids=lambda each: f"{each.number} {each.what}")
def test_the_tests_of_each_entry_exist(covered: Covered) -> None:
    """As functions that are neither skipped nor expected to fail."""
    for node in covered.tests:
        file, _, name = node.partition("::")
        found = [
            each
            for each in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8")))
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and each.name == name
        ]
        assert found, node
        assert not any(
            "skip" in ast.unparse(mark) or "xfail" in ast.unparse(mark) for mark in found[0].decorator_list
        )
