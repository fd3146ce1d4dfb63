"""The pool of sandbox processes: whatever happens to a process costs one image at most."""

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
from imageconverter.settings import MEGABYTE, ConversionSettings, WorkerSettings
from services.worker.sandbox import scheduler
from services.worker.sandbox.pool import ExpensiveImage, SandboxPool
from tests.testing import image_files
from tests.testing.image_files import raw_png
from tests.testing.slow_files import SLOW_FILES

SMALL = Target(max_width=50, max_height=50)


@pytest.fixture(scope="module")
async def pool() -> AsyncIterator[SandboxPool]:
    """A pool of two processes."""
    async with SandboxPool(WorkerSettings(children=2, timeout_seconds=20), max_pixels=100_000_000) as running:
        yield running


async def stopped_processes(pool: SandboxPool) -> list[int]:
    """Stop all processes, as a hanging decoder would, and return their ids."""
    processes = await ready_processes(pool)
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    return processes


async def ready_processes(pool: SandboxPool) -> list[int]:
    """Have several processes convert, so that they are ready, and return the ids of all."""
    while len(pool.processes) < 2:
        await asyncio.gather(*(pool.convert(image_files.jpeg(), [SMALL], interactive=True) for _ in range(4)))
    return pool.processes


async def until(condition: Callable[[], bool]) -> None:
    """Wait for *condition*."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


async def test_image_is_converted_to_all_targets(pool: SandboxPool) -> None:
    """As the engine makes them in this process."""
    targets = [SMALL, Target(max_width=20, max_height=20, output="png")]
    results = await pool.convert(image_files.jpeg(size=(200, 100)), targets, interactive=True)

    assert [(r.size, r.output) for r in results if isinstance(r, Converted)] == [
        ((50, 25), "jpeg"),
        ((20, 10), "png"),
    ]


async def test_source_may_have_many_megabytes(pool: SandboxPool) -> None:
    """Data goes by a memory file, not through the socket with its limits."""
    padded = image_files.jpeg(size=(200, 100)) + bytes(30 * MEGABYTE)
    results = await pool.convert(padded, [SMALL], interactive=True)

    assert isinstance(results[0], Converted)


@pytest.mark.parametrize(
    ("data", "kind"),
    [(b"", Undecodable), (b"no image at all", Undecodable), (image_files.jpeg()[:300], Undecodable)],
)
async def test_broken_image_raises_its_error(pool: SandboxPool, data: bytes, kind: type[Exception]) -> None:
    """The error of the engine crosses the border."""
    with pytest.raises(kind):
        await pool.convert(data, [SMALL], interactive=True)


async def test_more_images_than_processes_are_all_converted(pool: SandboxPool) -> None:
    """They are queued."""
    results = await asyncio.gather(*(pool.convert(image_files.jpeg(), [SMALL], interactive=False) for _ in range(20)))

    assert all(isinstance(result[0], Converted) for result in results)


async def test_process_killed_from_outside_costs_no_image(pool: SandboxPool) -> None:
    """The image is converted by another process; idle processes that are killed are replaced."""
    processes = await stopped_processes(pool)
    converting = asyncio.create_task(pool.convert(image_files.jpeg(), [SMALL], interactive=True))
    await asyncio.sleep(0.1)
    for process in processes:
        os.kill(process, signal.SIGKILL)

    assert isinstance((await converting)[0], Converted)
    await until(lambda: not set(pool.processes) & set(processes))


async def test_an_owner_keeps_a_process(pool: SandboxPool) -> None:
    """And shares it with no other."""
    seen: dict[str, int] = {}
    for owner in ("one", "another", "one", "another"):
        before = set(pool.processes)
        await pool.convert(image_files.jpeg(), [SMALL], interactive=True, owner=owner)
        new = set(pool.processes) - before
        assert bool(new) == (owner not in seen)
        seen[owner] = new.pop() if new else seen[owner]

    assert len(set(seen.values())) == 2
    assert set(seen.values()) <= set(pool.processes)


async def test_few_processes_are_kept(pool: SandboxPool) -> None:
    """Those of the owners that came last."""
    for number in range(20):
        await pool.convert(image_files.jpeg(), [SMALL], interactive=True, owner=str(number))

    await until(lambda: len(pool.processes) <= 8)


async def test_a_fork_server_that_is_killed_is_replaced() -> None:
    """Its processes end with it; images that they convert are converted by others."""
    async with SandboxPool(WorkerSettings(children=1), max_pixels=10**8) as pool:
        await pool.convert(image_files.jpeg(), [SMALL], interactive=True)
        (process,) = pool.processes
        os.kill(int(line(Path(f"/proc/{process}/status").read_text(), "PPid").split()[1]), signal.SIGKILL)
        await until(lambda: not pool.processes)

        assert isinstance((await pool.convert(image_files.jpeg(), [SMALL], interactive=True))[0], Converted)


async def test_image_that_hangs_times_out() -> None:
    """After the timeout its process is killed; the others convert meanwhile."""
    async with SandboxPool(WorkerSettings(children=2, timeout_seconds=2), max_pixels=10**8) as pool:
        await pool.convert(image_files.jpeg(), [SMALL], interactive=True)
        (process,) = pool.processes
        os.kill(process, signal.SIGSTOP)

        hanging = asyncio.create_task(pool.convert(image_files.jpeg(), [SMALL], interactive=True))
        await asyncio.sleep(0)
        assert isinstance((await pool.convert(image_files.jpeg(), [SMALL], interactive=True))[0], Converted)
        with pytest.raises(LimitExceeded):
            await hanging
        await until(lambda: process not in pool.processes)


async def test_image_that_needs_too_much_memory_is_an_error() -> None:
    """The limit is the kernel's, whatever the limit of pixels is: this file of 300 kB becomes 324 MB."""
    tight = WorkerSettings(children=1, memory_mb=256)
    large = raw_png((12_000, 9000), 8, 2, [bytes(36_001)] * 9000)
    async with SandboxPool(tight, max_pixels=178_000_000) as pool:
        with pytest.raises(ImageTooLarge, match="memory"):
            await pool.convert(large, [SMALL], interactive=True)
        assert isinstance((await pool.convert(image_files.jpeg(), [SMALL], interactive=True))[0], Converted)


async def test_canceled_callers_keep_no_process(pool: SandboxPool) -> None:
    """Whether they wait or have a process."""
    callers = [asyncio.create_task(pool.convert(image_files.jpeg(), [SMALL], interactive=True)) for _ in range(10)]
    await asyncio.sleep(0.01)
    for caller in callers:
        caller.cancel()
    await asyncio.gather(*callers, return_exceptions=True)

    assert isinstance((await pool.convert(image_files.jpeg(), [SMALL], interactive=True))[0], Converted)


async def test_an_operator_decides_on_images_that_are_cut_off() -> None:
    """The setting reaches the process."""
    cut = image_files.jpeg()[:-2]
    for value, accepted in (("accept", True), ("refuse", False)):
        settings = ConversionSettings.model_validate({"truncated": value})
        async with SandboxPool(
            WorkerSettings(children=1), max_pixels=10**8, truncated=settings.accepts_truncated
        ) as pool:
            conversion = pool.convert(cut, [SMALL], interactive=True)
            if accepted:
                assert isinstance((await conversion)[0], Converted)
            else:
                with pytest.raises(Undecodable, match="its end is missing"):
                    await conversion


async def test_interactive_images_are_first() -> None:
    """A batch that waits does not hold up a client."""
    async with SandboxPool(WorkerSettings(children=1), max_pixels=10**8) as pool:
        order: list[str] = []

        async def convert(*, interactive: bool) -> None:
            await pool.convert(image_files.jpeg(), [SMALL], interactive=interactive)
            order.append("interactive" if interactive else "batch")

        batch = [asyncio.create_task(convert(interactive=False)) for _ in range(4)]
        await asyncio.sleep(0)
        await asyncio.gather(convert(interactive=True), *batch)

        assert order.index("interactive") <= 2


def large_image() -> bytes:
    """Make an image of 36 megapixels in few bytes."""
    return image_files.png(image=Image.new("1", (6000, 6000)))


@pytest.mark.parametrize("interactive", [True, False])
async def test_large_images_leave_a_process_to_the_others(pool: SandboxPool, interactive: bool) -> None:  # noqa: FBT001
    """Even if they came first and are interactive."""
    await pool.convert(image_files.jpeg(), [SMALL], interactive=True)
    # Which takes a third of a second: the others must end before it on a busy machine, too.
    large, order = image_files.png(image=Image.new("RGBA", (6000, 6000))), list[str]()

    async def convert(name: str, data: bytes, *, interactive: bool) -> None:
        await pool.convert(data, [SMALL], interactive=interactive)
        order.append(name)

    asked = [convert("large", large, interactive=True) for _ in range(2)]
    asked += [convert("small", image_files.jpeg(), interactive=interactive) for _ in range(4)]
    await asyncio.gather(*asked)

    assert (order[0], order[-1]) == ("small", "large")


async def test_large_images_get_all_processes_if_no_others_come(
    pool: SandboxPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second one waits for a moment only, not for the first one."""
    monkeypatch.setattr(scheduler, "_EXPENSIVE_HOLD_SECONDS", 0.05)
    await pool.convert(image_files.jpeg(), [SMALL], interactive=True)
    large = [asyncio.create_task(pool.convert(large_image(), [SMALL], interactive=False)) for _ in range(12)]
    await until(lambda: pool._scheduler.expensive == 2)

    for results in await asyncio.gather(*large):
        assert isinstance(results[0], Converted)


async def test_canceled_large_images_do_not_count(pool: SandboxPool) -> None:
    """Whether they wait or have a process."""
    callers = [asyncio.create_task(pool.convert(large_image(), [SMALL], interactive=True)) for _ in range(5)]
    await asyncio.sleep(0)
    for caller in callers:
        caller.cancel()
    await asyncio.gather(*callers, return_exceptions=True)

    assert isinstance((await pool.convert(large_image(), [SMALL], interactive=True))[0], Converted)
    assert pool._scheduler.expensive == 0


async def test_processors_work_for_clients_before_runs(pool: SandboxPool) -> None:
    """Also if both have the same owner, as previews may have; expensive images come last."""

    async def niceness(data: bytes, *, interactive: bool) -> int:
        before = set(pool.processes)
        await pool.convert(data, [SMALL], interactive=interactive, owner="both")
        (process,) = set(pool.processes) - before
        return os.getpriority(os.PRIO_PROCESS, process)

    client = await niceness(image_files.jpeg(), interactive=True)
    run = await niceness(image_files.jpeg(), interactive=False)
    expensive = await niceness(large_image(), interactive=True)

    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert [client, run, expensive] == [min(own + each, 19) for each in (0, 10, 11)]


async def test_process_is_replaced_after_a_number_of_images() -> None:
    """In case a decoder leaks memory."""
    async with SandboxPool(WorkerSettings(children=1, pictures_per_child=3), max_pixels=10**8) as pool:
        await pool.convert(image_files.jpeg(), [SMALL], interactive=True)
        (first,) = pool.processes
        for _ in range(3):
            await pool.convert(image_files.jpeg(), [SMALL], interactive=True)

        await until(lambda: bool(pool.processes) and pool.processes[0] != first)


async def test_process_is_confined(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits are set; it has neither the environment nor the open files of the worker."""
    monkeypatch.setenv("IMAGECONVERTER_API_KEY", "hunter2")
    async with SandboxPool(WorkerSettings(children=1, memory_mb=512), max_pixels=10**8) as fresh:
        await fresh.convert(image_files.jpeg(), [SMALL], interactive=True)
        (process,) = fresh.processes
        limits = Path(f"/proc/{process}/limits").read_text()
        status = Path(f"/proc/{process}/status").read_text()

        assert 512 < int(line(limits, "Max address space").split()[3]) / MEGABYTE < 1024
        assert line(limits, "Max core file size").split()[4] == "0"
        assert line(limits, "Max open files").split()[3] == "32"
        assert line(status, "NoNewPrivs").split()[1] == "1"
        assert line(status, "Seccomp:").split()[1] == "2"  # filtered
        assert Path(f"/proc/{process}/oom_score_adj").read_text().strip() == "1000"
        if os.geteuid() == 0:  # the process is not dumpable: only root may read these
            assert b"hunter2" not in Path(f"/proc/{process}/environ").read_bytes()
            assert len(list(Path(f"/proc/{process}/fd").iterdir())) <= 6


def line(text: str, name: str) -> str:
    """Return the line of *text* that begins with *name*."""
    return next(each for each in text.splitlines() if each.startswith(name))


async def test_processes_end_with_a_worker_that_is_killed(tmp_path: Path) -> None:
    """The kernel ends them, even one that hangs."""
    listed = tmp_path / "processes"
    program = (
        "import asyncio, pathlib, sys\n"
        "from imageconverter.settings import WorkerSettings\n"
        "from services.worker.sandbox.pool import ExpensiveImage, SandboxPool\n"
        "from imageconverter.engine import Target\n"
        "from tests.testing import image_files\n"
        "async def main():\n"
        "    async with SandboxPool(WorkerSettings(children=2), max_pixels=10**8) as pool:\n"
        "        jpeg, small = image_files.jpeg(), Target(max_width=9, max_height=9)\n"
        "        await pool.convert(jpeg, [small], interactive=True, owner='0')\n"
        "        await pool.convert(jpeg, [small], interactive=True, owner='1')\n"
        "        pathlib.Path(sys.argv[1]).write_text(' '.join(map(str, pool.processes)))\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    root = Path(__file__).parents[3]
    worker = await asyncio.create_subprocess_exec(sys.executable, "-c", program, str(listed), cwd=root)
    await until(lambda: listed.exists() and len(listed.read_text().split()) == 2)
    processes = [int(pid) for pid in listed.read_text().split()]
    os.kill(processes[0], signal.SIGSTOP)
    worker.kill()
    await worker.wait()

    await until(lambda: not any(is_running(process) for process in processes))


def is_running(pid: int) -> bool:
    """Whether a process runs; one that is dead but not yet collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def slow_image() -> bytes:
    """Make an image that takes much longer than its header announces."""
    return SLOW_FILES["XCF of 200 layers"]()


async def test_slow_images_leave_processes_to_the_others() -> None:
    """Although they came first, and even with a single core; afterwards they are known."""
    async with SandboxPool(WorkerSettings(children=1), max_pixels=10**8) as pool:
        slow, order = slow_image(), list[str]()

        async def convert(name: str, data: bytes) -> None:
            await pool.convert(data, [SMALL], interactive=True)
            order.append(name)

        first = [asyncio.create_task(convert("slow", slow + b"%d" % number)) for number in range(3)]
        await asyncio.sleep(0)
        await asyncio.gather(*(convert("quick", image_files.jpeg()) for _ in range(10)))
        assert order == ["quick"] * 10
        await asyncio.gather(*first)


async def test_a_slow_image_that_may_move_does_not_wait_for_others() -> None:
    """It is converted later as one that is known to be expensive."""
    async with SandboxPool(WorkerSettings(children=1), max_pixels=10**8) as pool:
        data = slow_image()
        converting = [
            asyncio.create_task(pool.convert(data + b"%d" % number, [SMALL], interactive=True, may_move=True))
            for number in range(6)
        ]
        results = await asyncio.gather(*converting, return_exceptions=True)
        moved = [each for each in results if isinstance(each, ExpensiveImage)]

        assert 1 <= len(moved) < len(results)
        again = await pool.convert(data + b"5", [SMALL], interactive=True, expensive=True)
        assert isinstance(again[0], Converted)
