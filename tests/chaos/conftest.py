"""Seeds, sizes and figures of the tests that break things."""

import random
import secrets
from collections.abc import Mapping

import pytest

from tests.testing.figures import Figures

_FIGURES = pytest.StashKey[Figures]()


@pytest.fixture(scope="session")
def figures(request: pytest.FixtureRequest) -> Figures:
    """What was measured; it is printed at the end."""
    given = request.config.getoption("--seed")
    seed = secrets.randbelow(2**32) if given is None else int(given)
    found = Figures(seed, long=bool(request.config.getoption("--long")))
    request.config.stash[_FIGURES] = found
    return found


@pytest.fixture
def chance(figures: Figures, request: pytest.FixtureRequest) -> random.Random:
    """What decides on faults: the same for the same seed and test."""
    return random.Random(f"{figures.seed} {request.node.name}")  # noqa: S311 - it has to be repeatable


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the figures."""
    found = config.stash.get(_FIGURES, None)
    if found is not None and found.rows:
        terminalreporter.section("delivery")
        terminalreporter.write_line(found.table())


@pytest.fixture
def on_servers(servers: Mapping[str, str]) -> dict[str, str]:
    """The servers of all tests, but with a database of Redis for this test alone."""
    url = servers["IMAGECONVERTER_REDIS_URL"]
    return {**servers, "IMAGECONVERTER_REDIS_URL": f"{url.rpartition('/')[0]}/{1 + secrets.randbelow(14)}"}
