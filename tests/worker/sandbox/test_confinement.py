"""What a sandbox process can do that a hostile image controls: nothing but send a bad response."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from seccompy import SeccompError
from seccompy import syscalls as tables
from structlog.typing import EventDict

from imageconverter.engine import Converted, Target
from imageconverter.errors import ImageError, ImageTooLarge, LimitExceeded
from imageconverter.settings import SettingsError, WorkerSettings
from services.worker.sandbox import seccomp
from services.worker.sandbox.pool import SandboxPool
from services.worker.sandbox.process import SystemCallRefused
from tests.testing import image_files
from tests.worker.sandbox import misdeeds

SMALL = Target(max_width=50, max_height=50)
UNPRIVILEGED = 65534
USERS = {"this user": 0, "an ordinary user": UNPRIVILEGED} if os.geteuid() == 0 else {"an ordinary user": 0}


def misbehaving(*, user: int = 0, seconds: float = 20, listener: bool = True) -> SandboxPool:
    """Return a pool of one process that does what the image says."""
    program = (sys.executable, misdeeds.__file__, str(user), "listener" if listener else "no listener")
    return SandboxPool(WorkerSettings(children=1, timeout_seconds=seconds), max_pixels=10**8, program=program)


@pytest.fixture(scope="module", params=list(USERS.values()), ids=list(USERS))
async def taken_over(request: pytest.FixtureRequest) -> AsyncIterator[SandboxPool]:
    """A pool of one such process, for each kind of user."""
    async with misbehaving(user=request.param) as pool:
        yield pool


@pytest.fixture(scope="module")
async def clumsy() -> AsyncIterator[SandboxPool]:
    """A pool of one such process, for tests that do not depend on the user."""
    async with misbehaving() as pool:
        yield pool


async def do(pool: SandboxPool, misdeed: str, *, owner: str = "") -> str:
    """Have a sandbox process do it; returns the reason that it gives."""
    with pytest.raises(ImageError) as caught:
        await pool.convert(misdeed.encode(), [SMALL], interactive=True, owner=owner)
    return caught.value.reason


@pytest.mark.parametrize("misdeed", misdeeds.REFUSED)
async def test_kernel_refuses_the_system_call(taken_over: SandboxPool, misdeed: str) -> None:
    """Not by permissions of the user, which would be EACCES or success, but by the filter: EPERM."""
    with pytest.raises(SystemCallRefused) as caught:
        await taken_over.convert(misdeed.encode(), [SMALL], interactive=True)

    assert isinstance(caught.value.__cause__, ImageError)
    assert caught.value.__cause__.reason == "errno 1"


@pytest.mark.parametrize("misdeed", misdeeds.ALLOWED)
async def test_system_calls_that_decoders_need_are_allowed(taken_over: SandboxPool, misdeed: str) -> None:
    """The filter is no stricter than it has to be."""
    assert await do(taken_over, misdeed) == "done"


@pytest.mark.parametrize("misdeed", misdeeds.FATAL)
async def test_process_that_ends_costs_its_image(clumsy: SandboxPool, misdeed: str) -> None:
    """The next image gets a new process."""
    assert "crashed" in await do(clumsy, misdeed)
    assert await do(clumsy, "sleep") == "done"


async def test_crash_is_logged_with_its_stack(clumsy: SandboxPool, log: list[EventDict]) -> None:
    """The stack names the place of the crash."""
    await do(clumsy, "crash")
    await do(clumsy, "sleep")
    ends = [each for each in log if each["event"] == "sandbox process ended"]

    assert {each["end"] for each in ends} == {"Segmentation fault"}
    assert all("Segmentation fault" in each["lines"][0] for each in ends)
    assert any("misdeeds.py" in line for line in ends[0]["lines"])


async def test_output_of_a_decoder_is_logged_in_one_short_line(clumsy: SandboxPool, log: list[EventDict]) -> None:
    """One line of the log for debugging, whatever was written, and nothing of it raw."""
    await do(clumsy, "chatter")

    (output,) = [each for each in log if each["event"] == "decoder output"]
    assert output["log_level"] == "debug"
    assert sum(map(len, output["lines"])) <= 2000


async def test_reason_is_truncated(clumsy: SandboxPool) -> None:
    """Some decoders quote the file, which may hold what no text can."""
    assert await do(clumsy, "complain at length") == "?\n" * 250


async def test_exceeding_the_memory_limit_is_an_error(clumsy: SandboxPool) -> None:
    """The kernel enforces the limit, and the process survives."""
    before = clumsy.processes
    with pytest.raises(ImageTooLarge, match="memory"):
        await clumsy.convert(b"allocate", [SMALL], interactive=True)

    assert await do(clumsy, "sleep") == "done"
    assert set(clumsy.processes) >= set(before)


async def test_outputs_have_a_size_limit(clumsy: SandboxPool) -> None:
    """Of all together, in bytes."""
    with pytest.raises(LimitExceeded, match="256 MiB"):
        await clumsy.convert(b"make too much", [SMALL], interactive=True)


async def test_files_that_a_process_keeps_are_empty_and_sealed(clumsy: SandboxPool) -> None:
    """The source and the outputs of an image hold no memory after it, and nothing can be written to them."""
    assert await do(clumsy, "keep files") == "done"
    used = await do(clumsy, "use kept files")

    assert re.fullmatch(r"[2-9] kept", used)


async def test_a_process_has_no_image_of_another_owner(clumsy: SandboxPool) -> None:
    """Whatever it keeps: the next owner's images are converted by another process."""
    await do(clumsy, "keep the image", owner="one")

    assert await do(clumsy, "hand out kept images", owner="another") == "0 kept"
    assert await do(clumsy, "hand out kept images", owner="one") == "1 kept"


async def test_a_process_that_works_while_it_waits_is_killed(log: list[EventDict]) -> None:
    """With a thread that goes on after the image."""
    async with misbehaving() as pool:
        assert await do(pool, "burn") == "done"
        (process,) = pool.processes
        async with asyncio.timeout(10):
            while process in pool.processes:
                await asyncio.sleep(0.05)

    assert "used CPU time while idle" in [each.get("reason") for each in log]


async def test_threads_are_limited() -> None:
    """A process with three hundred of them is killed."""
    async with misbehaving() as pool:
        assert "crashed" in await do(pool, "start threads")
        assert await do(pool, "sleep") == "done"


@pytest.mark.parametrize("misdeed", misdeeds.ENDLESS)
async def test_process_that_does_not_respond_is_killed(misdeed: str) -> None:
    """And costs one image."""
    async with misbehaving(seconds=0.5) as pool:
        with pytest.raises(LimitExceeded, match="longer"):
            await pool.convert(misdeed.encode(), [SMALL], interactive=True)

        assert await do(pool, "sleep") == "done"


async def test_kernel_limits_cpu_time() -> None:
    """In case the worker, which measures the time, hangs."""
    program = (
        "import os, signal\n"
        "from services.worker.sandbox.confinement import confine\n"
        "confine(1 << 30, cpu_seconds=1, parent=os.getppid(), filtered=True)\n"
        "signal.signal(signal.SIGXCPU, signal.SIG_IGN)\n"
        "while True: pass\n"
    )
    spinning = await asyncio.create_subprocess_exec(sys.executable, "-c", program)

    assert await asyncio.wait_for(spinning.wait(), 20) == -9  # whatever it does with SIGXCPU


async def test_process_that_cannot_start_is_logged(log: list[EventDict]) -> None:
    """No image fails for it."""
    program = (sys.executable, "-c", "raise SystemExit('no module named so')")
    async with SandboxPool(WorkerSettings(children=1), max_pixels=10**8, program=program) as pool:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(pool.convert(image_files.jpeg(), [SMALL], interactive=True), 1)

    assert log[0]["event"] == "sandbox process does not start"
    assert log[0]["lines"] == ["no module named so"]


async def test_missing_program_is_logged(log: list[EventDict]) -> None:
    """The worker retries."""
    async with SandboxPool(WorkerSettings(children=1), max_pixels=10**8, program=["/nowhere"]) as pool:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(pool.convert(image_files.jpeg(), [SMALL], interactive=True), 1)

    assert "No such file" in log[0]["lines"][0]


async def test_worker_without_a_filter_logs_a_warning(monkeypatch: pytest.MonkeyPatch, log: list[EventDict]) -> None:
    """Once, with what is missing; and converts."""
    monkeypatch.setattr(seccomp, "unavailable", lambda: "nothing to filter with")
    async with SandboxPool(WorkerSettings(children=1), max_pixels=10**8) as pool:
        (result,) = await pool.convert(image_files.jpeg(), [SMALL], interactive=True)
        (process,) = pool.processes
        status = Path(f"/proc/{process}/status").read_text()

    assert isinstance(result, Converted)
    assert [each["missing"] for each in log if each["log_level"] == "warning"] == ["nothing to filter with"]
    assert "Seccomp:\t0" in status


async def test_filter_can_be_required(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker does not start then."""
    monkeypatch.setattr(seccomp, "unavailable", lambda: "nothing to filter with")
    with pytest.raises(SettingsError, match=r"IMAGECONVERTER_WORKER_SANDBOX.*nothing to filter with"):
        await SandboxPool(WorkerSettings(sandbox="require"), max_pixels=10**8).__aenter__()


def test_kernel_that_forbids_filters_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """As under some containers."""

    def refuse(_flags: object) -> bool:
        raise SeccompError(1, "Operation not permitted")

    monkeypatch.setattr(seccomp, "flag_supported", refuse)

    assert "not permitted" in seccomp.unavailable()


@pytest.mark.parametrize("numbers", [tables.X86_64_SYSCALLS, tables.AARCH64_SYSCALLS], ids=["x86-64", "arm64"])
def test_the_list_is_one_for_all_processors(numbers: dict[str, int]) -> None:
    """Every name on it exists."""
    assert {*seccomp.ALLOWED, "clone", "clone3", "fcntl", "newfstatat", "tgkill"} <= set(numbers)
