"""Fixtures of the chaos tests: seed, size and figures."""

import random
import secrets
from collections.abc import Mapping

import pytest

from tests.testing.measurements import Figures


@pytest.fixture(scope="session")
def seed(pytestconfig: pytest.Config) -> int:
    """The seed of all faults of the session."""
    given = pytestconfig.getoption("--seed")
    return secrets.randbelow(2**32) if given is None else int(given)


@pytest.fixture
def figures(seed: int, request: pytest.FixtureRequest) -> Figures:
    """The measurements of the test, which are printed at the end."""
    return Figures(seed, bool(request.config.getoption("--long")), request.node.user_properties)


@pytest.fixture
def chance(figures: Figures, request: pytest.FixtureRequest) -> random.Random:
    """A random generator that depends on the seed and the test only."""
    return random.Random(f"{figures.seed} {request.node.name}")  # noqa: S311 - it has to be repeatable


@pytest.fixture
def on_servers(servers: Mapping[str, str]) -> dict[str, str]:
    """The servers of all tests, with a separate Redis database."""
    url = servers["IMAGECONVERTER_REDIS_URL"]
    return {**servers, "IMAGECONVERTER_REDIS_URL": f"{url.rpartition('/')[0]}/{1 + secrets.randbelow(14)}"}
