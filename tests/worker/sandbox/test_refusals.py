"""A refused system call is an internal error that is logged and counted, never a fault of the image."""

import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping

import pytest
from seccompy import FilterFlag
from seccompy.notify import NotifSizes
from structlog.typing import EventDict

from imageconverter.engine import Converted, Target
from imageconverter.errors import QueueUnavailable, Undecodable
from imageconverter.settings import WorkerSettings
from services.worker.sandbox import seccomp
from services.worker.sandbox.pool import SandboxPool
from services.worker.sandbox.process import SystemCallRefused
from tests.testing import image_files
from tests.worker.sandbox import misdeeds, unstripped

TARGET = Target(max_width=500, max_height=500, output="jpeg")
SETTINGS = WorkerSettings(children=1, timeout_seconds=20)


class Refusals:
    """A pool of one sandbox process, and what it counts."""

    def __init__(self, *program: str) -> None:
        self.counted: Counter[str] = Counter()
        self.pool = SandboxPool(
            SETTINGS, max_pixels=10**8, on_refused=self._count, program=(sys.executable, *program)
        )

    async def _count(self, calls: Mapping[str, int]) -> None:
        self.counted.update(calls)

    async def convert(self, data: bytes) -> Converted:
        """Convert *data* to one target."""
        (result,) = await self.pool.convert(data, [TARGET], interactive=True)
        assert isinstance(result, Converted)
        return result


@pytest.fixture(scope="module")
async def shared() -> AsyncIterator[Refusals]:
    """One whose process does what the image says."""
    refusals = Refusals(misdeeds.__file__, "0", "listener")
    async with refusals.pool:
        yield refusals


@pytest.fixture
def reported(shared: Refusals) -> Refusals:
    """The same, with nothing counted yet."""
    shared.counted.clear()
    return shared


def refused_calls(log: list[EventDict]) -> list[dict[str, int]]:
    """Return what was logged as refused, image by image."""
    return [each["system_calls"] for each in log if each["event"] == "system call refused"]


@pytest.mark.parametrize(
    ("misdeed", "call"),
    [
        ("open a file", "openat"),
        ("make a memory file", "memfd_create"),
        ("open a TCP socket", "socket"),
        ("become root", "setuid"),
    ],
)
@pytest.mark.parametrize("how", ["", "uncaught ", "then fail "], ids=["reported", "uncaught", "one output fails"])
async def test_an_image_that_fails_is_an_internal_error(
    reported: Refusals, log: list[EventDict], misdeed: str, call: str, how: str
) -> None:
    """Whatever the decoder makes of the refusal; the kernel names the call."""
    with pytest.raises(SystemCallRefused):
        await reported.convert(f"{how}{misdeed}".encode())

    assert refused_calls(log) == [{call: 1}]
    assert reported.counted == {call: 1}


async def test_an_image_that_is_converted_all_the_same_is_a_result(reported: Refusals, log: list[EventDict]) -> None:
    """The call is logged and counted."""
    assert (await reported.convert(b"then convert open a file")).data == b"made"

    assert refused_calls(log) == [{"openat": 1}]
    assert reported.counted == {"openat": 1}


async def test_an_uncaught_refusal_names_the_innermost_frames(reported: Refusals, log: list[EventDict]) -> None:
    """The innermost one last, without the lines of code."""
    with pytest.raises(SystemCallRefused):
        await reported.convert(b"uncaught make a memory file")
    (refused,) = [each for each in log if each["event"] == "system call refused"]

    assert refused["log_level"] == "error"
    assert "misdeeds.py:" in refused["frames"][-1]
    assert refused["frames"][-1].endswith("<lambda>")
    assert any(frame.endswith(" serve") for frame in refused["frames"])


async def test_images_after_a_refusal_are_converted_by_the_same_process(reported: Refusals) -> None:
    """A refusal harms no other image."""
    before = reported.pool.processes
    with pytest.raises(SystemCallRefused):
        await reported.convert(b"open a file")
    with pytest.raises(Undecodable, match="done"):
        await reported.convert(b"sleep")

    assert reported.pool.processes == before


async def test_a_process_that_floods_its_worker_is_ended(reported: Refusals, log: list[EventDict]) -> None:
    """Each refused call takes the worker's time."""
    with pytest.raises(SystemCallRefused):
        await reported.convert(b"flood")

    (calls,) = refused_calls(log)
    assert 100 <= calls["getcwd"] <= 3 * 110


async def test_a_kernel_without_a_listener_leaves_the_frames(log: list[EventDict]) -> None:
    """The call has no name then; what hides the error from Python is not noticed."""
    refusals = Refusals(misdeeds.__file__, "0", "no listener")
    async with refusals.pool:
        with pytest.raises(SystemCallRefused):
            await refusals.convert(b"uncaught open a file")
        with pytest.raises(Undecodable, match="errno 1"):
            await refusals.convert(b"open a file")
    (refused,) = [each for each in log if each["event"] == "system call refused"]

    assert refused["system_calls"] == {"unknown": 1}
    assert any("pathlib" in frame for frame in refused["frames"])
    assert refusals.counted == {"unknown": 1}


def test_a_kernel_whose_reports_cannot_be_read_gets_no_listener(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its structures may grow; a call that waits for an answer would hang."""
    loaded: list[int] = []
    monkeypatch.setattr(seccomp, "sizes", lambda: NotifSizes(96, 24, 64))
    monkeypatch.setattr(seccomp, "_load", lambda _filter, flags: loaded.append(flags))

    assert seccomp.install_filter() is None
    assert [bool(flags & FilterFlag.NEW_LISTENER) for flags in loaded] == [False]


async def test_a_refusal_that_cannot_be_counted_is_still_an_internal_error(log: list[EventDict]) -> None:
    """Redis may be unavailable; the log has it."""

    async def fail(_calls: Mapping[str, int]) -> None:
        raise QueueUnavailable("Redis did not answer.")

    program = (sys.executable, misdeeds.__file__, "0", "listener")
    async with SandboxPool(SETTINGS, max_pixels=10**8, on_refused=fail, program=program) as pool:
        with pytest.raises(SystemCallRefused):
            await pool.convert(b"open a file", [TARGET], interactive=True)

    assert refused_calls(log) == [{"openat": 1}]


async def test_the_engine_without_its_last_step_is_refused_getcwd(log: list[EventDict]) -> None:
    """A JPEG that is not resized: Pillow's `save` asks an `ImageFile` for the path of its file."""
    refusals = Refusals(unstripped.__file__)
    async with refusals.pool:
        with pytest.raises(SystemCallRefused):
            await refusals.convert(image_files.jpeg())
        await refusals.convert(image_files.jpeg(size=(900, 600)))
    (refused,) = [each for each in log if each["event"] == "system call refused"]

    assert refused["system_calls"] == {"getcwd": 1}
    assert any("encode.py" in frame for frame in refused["frames"])
