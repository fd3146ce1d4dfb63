"""Children under attack: whatever happens to one costs one image, never the pool."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from PIL import Image

from imageconverter.engine import Converted, Target
from imageconverter.errors import ImageTooLarge, LimitExceeded, Undecodable
from imageconverter.settings import MEGABYTE, WorkerSettings
from services.worker.sandbox.pool import SandboxPool
from tests.testing import image_files

SMALL = Target(max_width=50, max_height=50)


@pytest.fixture(scope="module")
async def pool() -> AsyncIterator[SandboxPool]:
    """Two children."""
    async with SandboxPool(WorkerSettings(children=2, timeout_seconds=20), max_pixels=100_000_000) as running:
        yield running


async def stopped_children(pool: SandboxPool) -> list[int]:
    """Stop all children where they are, as a hanging decoder would, and return them."""
    children = await ready_children(pool)
    for child in children:
        os.kill(child, signal.SIGSTOP)
    return children


async def ready_children(pool: SandboxPool) -> list[int]:
    """Wait until all children are there and return them."""
    async with asyncio.timeout(10):
        while len(pool.processes) < 2:
            await asyncio.sleep(0.01)
    return pool.processes


async def until(condition: Callable[[], bool]) -> None:
    """Wait for *condition*."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


async def test_an_image_comes_back_in_all_its_sizes(pool: SandboxPool) -> None:
    """What the engine makes in a child is what it makes here."""
    targets = [SMALL, Target(max_width=20, max_height=20, output="png")]
    results = await pool.convert(image_files.jpeg(size=(200, 100)), targets, interactive=True)

    assert [(r.size, r.output) for r in results if isinstance(r, Converted)] == [
        ((50, 25), "jpeg"),
        ((20, 10), "png"),
    ]


async def test_a_source_of_many_megabytes_is_handed_over(pool: SandboxPool) -> None:
    """Data goes by a memory file, not through the socket with its limits."""
    padded = image_files.jpeg(size=(200, 100)) + bytes(30 * MEGABYTE)
    results = await pool.convert(padded, [SMALL], interactive=True)

    assert isinstance(results[0], Converted)


@pytest.mark.parametrize(
    ("data", "kind"),
    [(b"", Undecodable), (b"no image at all", Undecodable), (image_files.jpeg()[:300], Undecodable)],
)
async def test_a_broken_image_is_told_by_its_kind(pool: SandboxPool, data: bytes, kind: type[Exception]) -> None:
    """The error of the engine crosses the border."""
    with pytest.raises(kind):
        await pool.convert(data, [SMALL], interactive=True)


async def test_more_images_than_children_are_all_converted(pool: SandboxPool) -> None:
    """They wait for each other."""
    results = await asyncio.gather(*(pool.convert(image_files.jpeg(), [SMALL], interactive=False) for _ in range(20)))

    assert all(isinstance(result[0], Converted) for result in results)


async def test_a_child_killed_from_outside_costs_nothing(pool: SandboxPool) -> None:
    """The image is tried again in another child; idle children that die are replaced."""
    children = await stopped_children(pool)
    converting = asyncio.create_task(pool.convert(image_files.jpeg(), [SMALL], interactive=True))
    await asyncio.sleep(0.1)
    for child in children:
        os.kill(child, signal.SIGKILL)

    assert isinstance((await converting)[0], Converted)
    await until(lambda: len(pool.processes) == 2 and not set(pool.processes) & set(children))


async def test_an_image_that_hangs_is_cut_off() -> None:
    """After its time the child is killed, and others go on meanwhile."""
    async with SandboxPool(WorkerSettings(children=2, timeout_seconds=2), max_pixels=10**8) as pool:
        children = await ready_children(pool)
        await pool.convert(image_files.jpeg(), [SMALL], interactive=True)
        for child in children:
            os.kill(child, signal.SIGSTOP)

        with pytest.raises(LimitExceeded):
            await pool.convert(image_files.jpeg(), [SMALL], interactive=True)
        await until(lambda: len(set(children) & set(pool.processes)) == 1)
        os.kill(next(child for child in children if child in pool.processes), signal.SIGCONT)
        assert isinstance((await pool.convert(image_files.jpeg(), [SMALL], interactive=True))[0], Converted)


async def test_an_image_that_needs_too_much_memory_is_refused() -> None:
    """The limit is the kernel's, whatever the limit of pixels is: these 84 bytes become 400 MB."""
    tight = WorkerSettings(children=1, memory_mb=256)
    async with SandboxPool(tight, max_pixels=178_000_000) as pool:
        with pytest.raises((ImageTooLarge, Undecodable), match="memory"):
            await pool.convert(b"P6\n12000 9000\n255\n" + bytes(64), [SMALL], interactive=True)
        assert isinstance((await pool.convert(image_files.jpeg(), [SMALL], interactive=True))[0], Converted)


async def test_who_gives_up_waiting_does_not_keep_a_child(pool: SandboxPool) -> None:
    """A cancelled caller frees its place, waiting or served."""
    callers = [asyncio.create_task(pool.convert(image_files.jpeg(), [SMALL], interactive=True)) for _ in range(10)]
    await asyncio.sleep(0.01)
    for caller in callers:
        caller.cancel()
    await asyncio.gather(*callers, return_exceptions=True)

    assert isinstance((await pool.convert(image_files.jpeg(), [SMALL], interactive=True))[0], Converted)


async def test_urgent_images_go_first() -> None:
    """A batch that waits does not hold up a client."""
    async with SandboxPool(WorkerSettings(children=1), max_pixels=10**8) as pool:
        order: list[str] = []

        async def convert(*, interactive: bool) -> None:
            await pool.convert(image_files.jpeg(), [SMALL], interactive=interactive)
            order.append("interactive" if interactive else "batch")

        batch = [asyncio.create_task(convert(interactive=False)) for _ in range(4)]
        await asyncio.sleep(0)
        await asyncio.gather(convert(interactive=True), *batch)

        assert order.index("interactive") <= 1


def large_image() -> bytes:
    """Make an image of 36 megapixels in few bytes."""
    return image_files.png(image=Image.new("1", (6000, 6000)))


@pytest.mark.parametrize("interactive", [True, False])
async def test_large_images_leave_a_child_to_the_others(pool: SandboxPool, interactive: bool) -> None:  # noqa: FBT001
    """Even where they came first and are the more interactive ones."""
    await ready_children(pool)
    await pool.convert(image_files.jpeg(), [SMALL], interactive=True)
    large, order = large_image(), list[str]()

    async def convert(name: str, data: bytes, *, interactive: bool) -> None:
        await pool.convert(data, [SMALL], interactive=interactive)
        order.append(name)

    asked = [convert("large", large, interactive=True) for _ in range(2)]
    asked += [convert("small", image_files.jpeg(), interactive=interactive) for _ in range(4)]
    await asyncio.gather(*asked)

    assert (order[0], order[-1]) == ("small", "large")


async def test_large_images_get_all_children_when_nobody_else_comes(pool: SandboxPool) -> None:
    """A second one waits for a moment only, not for the first one."""
    stopped = await stopped_children(pool)
    first, second = (asyncio.create_task(pool.convert(large_image(), [SMALL], interactive=False)) for _ in range(2))
    await until(lambda: not pool._scheduler.free)
    for child in stopped:
        os.kill(child, signal.SIGCONT)

    for results in await asyncio.gather(first, second):
        assert isinstance(results[0], Converted)


async def test_a_large_image_that_is_given_up_leaves_its_place_to_the_next(pool: SandboxPool) -> None:
    """Waiting or served."""
    callers = [asyncio.create_task(pool.convert(large_image(), [SMALL], interactive=True)) for _ in range(5)]
    await asyncio.sleep(0)
    for caller in callers:
        caller.cancel()
    await asyncio.gather(*callers, return_exceptions=True)

    assert isinstance((await pool.convert(large_image(), [SMALL], interactive=True))[0], Converted)
    assert pool._scheduler.expensive == 0


async def test_a_child_is_replaced_after_its_images() -> None:
    """Whatever a decoder leaks goes with it."""
    async with SandboxPool(WorkerSettings(children=1, pictures_per_child=3), max_pixels=10**8) as pool:
        await pool.convert(image_files.jpeg(), [SMALL], interactive=True)
        (first,) = pool.processes
        for _ in range(3):
            await pool.convert(image_files.jpeg(), [SMALL], interactive=True)

        await until(lambda: bool(pool.processes) and pool.processes[0] != first)


async def test_a_child_is_confined(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits are set, nothing of the worker's environment is there, no file of the worker's is open."""
    monkeypatch.setenv("IMAGECONVERTER_API_KEY", "hunter2")
    async with SandboxPool(WorkerSettings(children=1, memory_mb=512), max_pixels=10**8) as fresh:
        await fresh.convert(image_files.jpeg(), [SMALL], interactive=True)
        (child,) = fresh.processes
        limits = Path(f"/proc/{child}/limits").read_text()
        status = Path(f"/proc/{child}/status").read_text()

        assert 512 < int(line(limits, "Max address space").split()[3]) / MEGABYTE < 1024
        assert line(limits, "Max core file size").split()[4] == "0"
        assert line(limits, "Max open files").split()[3] == "32"
        assert line(status, "NoNewPrivs").split()[1] == "1"
        assert line(status, "Seccomp:").split()[1] == "2"  # filtered
        assert Path(f"/proc/{child}/oom_score_adj").read_text().strip() == "1000"
        if os.geteuid() == 0:  # the child is not dumpable: only root may look further
            assert b"hunter2" not in Path(f"/proc/{child}/environ").read_bytes()
            assert len(list(Path(f"/proc/{child}/fd").iterdir())) <= 6


def line(text: str, name: str) -> str:
    """Return the line of *text* that begins with *name*."""
    return next(each for each in text.splitlines() if each.startswith(name))


async def test_children_do_not_outlive_a_worker_that_is_killed(tmp_path: Path) -> None:
    """The kernel takes them along, a hanging one too."""
    told = tmp_path / "children"
    program = (
        "import asyncio, pathlib, sys\n"
        "from imageconverter.settings import WorkerSettings\n"
        "from services.worker.sandbox.pool import SandboxPool\n"
        "from imageconverter.engine import Target\n"
        "from tests.testing import image_files\n"
        "async def main():\n"
        "    async with SandboxPool(WorkerSettings(children=2), max_pixels=10**8) as pool:\n"
        "        jpeg, small = image_files.jpeg(), Target(max_width=9, max_height=9)\n"
        "        await pool.convert(jpeg, [small], interactive=True)\n"
        "        while len(pool.processes) < 2: await asyncio.sleep(0.01)\n"
        "        pathlib.Path(sys.argv[1]).write_text(' '.join(map(str, pool.processes)))\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    root = Path(__file__).parents[3]
    worker = await asyncio.create_subprocess_exec(sys.executable, "-c", program, str(told), cwd=root)
    await until(lambda: told.exists() and len(told.read_text().split()) == 2)
    children = [int(pid) for pid in told.read_text().split()]
    os.kill(children[0], signal.SIGSTOP)
    worker.kill()
    await worker.wait()

    await until(lambda: not any(is_running(child) for child in children))


def is_running(pid: int) -> bool:
    """Whether a process runs; one that is dead but not yet collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False
