"""One stack for all tests of containers."""

import os
from collections.abc import Iterator

import pytest

from tests.compose.stack import WORKERS, Stack, why_not


@pytest.fixture(scope="session")
def _engine() -> None:
    """Skip all tests if containers cannot be run; fail them if REQUIRE_DOCKER is set."""
    reason = why_not()
    if reason and os.environ.get("REQUIRE_DOCKER") == "1":
        pytest.fail(f"REQUIRE_DOCKER=1, but no Docker engine is available ({reason})")
    if reason:
        pytest.skip(f"no Docker engine is available ({reason})")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, _engine: None) -> Iterator[Stack]:
    """Build the image and start all containers; they are removed at the end."""
    stack = Stack(tmp_path_factory.mktemp("compose"), workers=WORKERS, formats=True)
    stack.compose("build", "--quiet")
    try:
        stack.up()
        yield stack
    finally:
        stack.down("--volumes")


@pytest.fixture
def workers(stack: Stack) -> list[str]:
    """The running workers; stopped ones are started again."""
    stack.up()
    workers = stack.containers("worker")
    assert len(workers) == WORKERS
    return workers
