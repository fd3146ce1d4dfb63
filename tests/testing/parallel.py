"""Parallel test workers (pytest-xdist): their number, which tests share one, and their ports."""

import contextlib
import os
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling

from services.stack import ports

# Each directory runs on one worker, first: its tests start many processes and would disturb each other.
_DIRECTORIES = ("tests/chaos/", "tests/stack/")
_PORT_BLOCKS = [range(start, start + 500) for start in range(10_000, 20_000, 500)]


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
    """Distribute by file; `tests/chaos` and `tests/stack` count as one file each."""

    def _split_scope(self, nodeid: str) -> str:
        directory = next((each for each in _DIRECTORIES if nodeid.startswith(each)), None)
        return directory or nodeid.partition("::")[0]


class _Cycle:
    """A sequence of ports for `secrets.choice` that returns each of them before it returns one again.

    A server may not have bound its port yet when the next port is chosen.
    """

    def __init__(self, block: range) -> None:
        self._count, self._next = len(block), cycle(block)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, _index: int) -> int:
        return next(self._next)


def worker_count() -> int:
    """Return one more than there are cores, because tests wait about as long as they compute; 16 at most."""
    return min(len(os.sched_getaffinity(0)) + 1, 16)


def sort_for_workers(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a worker, sort the slowest tests first, so that they do not run last."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: not item.nodeid.startswith(_DIRECTORIES))


def allow_open_files() -> None:
    """Raise the limit of open files, often 1,024: some tests hold both ends of a thousand connections."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20_000), hard))


@contextmanager
def own_ports() -> Iterator[None]:
    """Let `free_ports` choose from ports that no other process of tests on this machine chooses from.

    They are below those from which `imageconverter up` chooses. Raises RuntimeError if no block of ports is left.
    """
    with socket.socket(socket.AF_UNIX) as claim, pytest.MonkeyPatch.context() as patch:
        block = next((block for block in _PORT_BLOCKS if _is_claimed(claim, block)), None)
        if block is None:
            raise RuntimeError("too many processes run tests on this machine: no ports are left for this one")
        for file in Path("/tmp").glob("seaweedfs-*.sock"):  # noqa: S108 - where a killed SeaweedFS leaves them
            if int(file.stem.rpartition("-")[2]) in block:
                with contextlib.suppress(OSError):  # another user's, which `free_ports` avoids
                    file.unlink()
        patch.setattr(ports, "_PORTS", _Cycle(block))
        yield


def _is_claimed(claim: socket.socket, block: range) -> bool:
    """Claim a block by an abstract address, which the kernel releases at the end of the process."""
    try:
        claim.bind(f"\0imageconverter-tests-{block.start}")
    except OSError:
        return False
    return True
