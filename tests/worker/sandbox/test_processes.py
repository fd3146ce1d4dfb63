"""How sandbox processes are forked."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from imageconverter.engine import Target
from imageconverter.settings import WorkerSettings
from services.worker.sandbox.fork_server import PROGRAM
from services.worker.sandbox.pool import SandboxPool
from tests.testing import image_files

TARGET = Target(max_width=50, max_height=50)
NOTING_SEARCHES = """
import ctypes.util, os
from services.worker.sandbox import program
find = ctypes.util.find_library
def noted(name):
    with open({path!r}, "a") as file:
        file.write(f"{{os.getpid()}} ")
    return find(name)
ctypes.util.find_library = noted
program.main()
"""


def pool_of(program: Sequence[str] = PROGRAM) -> SandboxPool:
    """Return a pool of one process at a time."""
    return SandboxPool(WorkerSettings(children=1, timeout_seconds=20), max_pixels=10**8, program=program)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for *condition*."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


async def convert(pool: SandboxPool, owner: str) -> None:
    """Convert an image of *owner*."""
    await pool.convert(image_files.jpeg(), [TARGET], interactive=True, owner=owner)


def server_of(pool: SandboxPool) -> int:
    """Return the process id of the fork server."""
    status = Path(f"/proc/{pool.processes[0]}/status").read_text()
    return int(next(each for each in status.splitlines() if each.startswith("PPid")).split()[1])


async def test_a_forked_process_starts_no_other_program(tmp_path: Path) -> None:
    """The fork server has searched for the C library already, which takes milliseconds."""
    noted = tmp_path / "searches"
    async with pool_of([sys.executable, "-c", NOTING_SEARCHES.format(path=str(noted))]) as pool:
        await convert(pool, "one")
        server = server_of(pool)

    assert set(noted.read_text().split()) == {str(server)}


async def test_a_new_owner_gets_a_process_that_is_ready() -> None:
    """It has seen no image: the fork server, which is stopped here, need not do anything."""
    async with pool_of() as pool:
        await convert(pool, "one")
        await convert(pool, "two")
        known, server = set(pool.processes), server_of(pool)
        await until(lambda: pool._processes._spare is not None and pool._processes._spare.done())
        os.kill(server, signal.SIGSTOP)
        try:
            async with asyncio.timeout(20):
                await convert(pool, "three")
            assert len(set(pool.processes) - known) == 1
        finally:
            os.kill(server, signal.SIGCONT)


async def test_one_owner_needs_no_spare_process() -> None:
    """Its images are converted by the process that it has."""
    async with pool_of() as pool:
        for _ in range(3):
            await convert(pool, "one")
        await asyncio.sleep(0.2)

        assert pool._processes._spare is None


async def test_a_spare_process_that_has_ended_is_not_used() -> None:
    """Another one is forked."""
    async with pool_of() as pool:
        await convert(pool, "one")
        await convert(pool, "two")
        await until(lambda: pool._processes._spare is not None and pool._processes._spare.done())
        assert pool._processes._spare is not None
        spare = pool._processes._spare.result()
        os.kill(spare.pid, signal.SIGKILL)
        await until(lambda: spare.has_ended)

        await convert(pool, "three")
        assert spare.pid not in pool.processes
