"""Parallel test workers (pytest-xdist): their number, which tests share one, and their ports."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling

from services.stack import ports

# Each directory runs on one worker, first: its tests start many processes and would disturb each other.
_DIRECTORIES = ("tests/chaos/", "tests/stack/")


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
    """Distribute by file; `tests/chaos` and `tests/stack` count as one file each."""

    def _split_scope(self, nodeid: str) -> str:
        directory = next((each for each in _DIRECTORIES if nodeid.startswith(each)), None)
        return directory or nodeid.partition("::")[0]


def worker_count() -> int:
    """Return one more than there are cores, because tests wait about as long as they compute."""
    return len(os.sched_getaffinity(0)) + 1


def sort_for_workers(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a worker, sort the slowest tests first, so that they do not run last."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: not item.nodeid.startswith(_DIRECTORIES))


@contextmanager
def own_ports(config: pytest.Config) -> Iterator[None]:
    """Let `free_ports` choose from ports that no other worker of this session chooses from."""
    worker = getattr(config, "workerinput", None)
    with pytest.MonkeyPatch.context() as patch:
        if worker is not None:
            number = int(worker["workerid"].removeprefix("gw"))
            patch.setattr(ports, "_PORTS", ports._PORTS[number :: worker["workercount"]])
        yield
