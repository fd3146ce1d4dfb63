"""Hostile files by the thousand through real sandbox processes: each gets a response, and nothing else happens.

A part of them in every run of the tests; all of them, a hundred thousand, with `make hostile`.
"""

import asyncio
import io
import re
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest
import structlog

from imageconverter.engine import Converted, Failed, Limits, Target, check_header, identify
from imageconverter.errors import ImageError, LimitExceeded
from imageconverter.settings import MEGABYTE, WorkerSettings
from services.worker.sandbox.messages import Reply
from services.worker.sandbox.pool import SandboxPool
from tests.testing import hostile_files, image_files
from tests.testing.hostile_files import BOMBS, HEAVY_BOMBS, KINDS, LONG_HEADERS, PILLOW_SOURCE, SEED, HostileFile

SETTINGS = WorkerSettings(children=2, timeout_seconds=10, pictures_per_child=5000)
TARGETS = [Target(max_width=50, max_height=50, output="jpeg"), Target(max_width=40, max_height=40)]
FULL, SHORT = 750, 10  # of each kind: so many cut off, and so many damaged; a hundred thousand with `make hostile`
SAMPLE_SECONDS = 0.05
PILLOWS_OWN = Path(sys.prefix) / "hostile" / PILLOW_SOURCE  # where `make hostile` puts it

Group = Callable[[], Iterable[HostileFile]]


def groups(*, thorough: bool) -> dict[str, Group]:
    """Return what is sent, in parts that are tests of their own."""
    count = FULL if thorough else SHORT

    def broken(kind: str) -> Group:
        return lambda: [*hostile_files.cut_off(kind, count), *hostile_files.damaged(kind, count)]

    every = {kind: broken(kind) for kind in KINDS} | {"bombs": lambda: made(BOMBS)}
    if thorough:
        every |= {"heavy bombs": lambda: made(HEAVY_BOMBS), "long headers": lambda: made(LONG_HEADERS)}
        if PILLOWS_OWN.exists():
            every["Pillow's own"] = lambda: hostile_files.pillows_own(PILLOWS_OWN)
    return every


def made(bombs: Mapping[str, Callable[[], bytes]]) -> Iterator[HostileFile]:
    """Make the *bombs*."""
    return (HostileFile(name, make()) for name, make in bombs.items())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each group."""
    if "group" in metafunc.fixturenames:
        every = groups(thorough=metafunc.config.getoption("thorough"))
        metafunc.parametrize("group", every.values(), ids=every.keys())


class Attack:
    """A pool under attack, and the outcome of the files."""

    def __init__(self, pool: SandboxPool, log: list[structlog.typing.EventDict]) -> None:
        self.outcomes: Counter[str] = Counter()
        self.faults: list[str] = []
        """Wrong responses."""
        self.over_time: list[str] = []
        """The files for which a process was killed."""
        self.slowest = 0.0
        self.peak = 0
        """The maximum of memory of a process, in bytes above what it has at rest."""
        self.at_rest = 0
        self._pool = pool
        self._log = log

    async def prepare(self) -> None:
        """Wait for a process that is ready."""
        assert await self.survivors_convert()
        self.at_rest = max(map(_peak_memory, self._pool.processes))

    async def send(self, files: Iterable[HostileFile]) -> int:
        """Send *files*, as many at once as there are processes; returns how many they were."""
        made_before = list(files)  # for that takes time, which the clock of no image should measure
        left = iter(made_before)
        watching = asyncio.create_task(self._watch())
        await asyncio.gather(*(self._send_all(left) for _ in range(SETTINGS.children)))
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        return len(made_before)

    async def survivors_convert(self) -> bool:
        """Whether the pool still converts."""
        reply = await self._pool.convert(image_files.jpeg(), TARGETS, interactive=True)
        return all(isinstance(each, Converted) for each in reply)

    def crashed(self) -> list[str]:
        """Return how processes ended that were lost with an image, and what they wrote."""
        late = {each["pid"] for each in self._of("sandbox process timed out")}
        return [
            "\n".join([str(each["end"]), *each["lines"]])
            for each in self._of("sandbox process ended")
            if each["pid"] not in late and each["converted"] < SETTINGS.pictures_per_child
        ]

    def _of(self, event: str) -> list[structlog.typing.EventDict]:
        return [each for each in self._log if each["event"] == event]

    async def _send_all(self, files: Iterator[HostileFile]) -> None:
        for file in files:
            began = time.monotonic()
            outcome, fault = await self._convert(file.data)
            seconds = time.monotonic() - began
            self.slowest = max(self.slowest, seconds)
            self.outcomes[outcome] += 1
            if outcome == LimitExceeded.__name__:
                self.over_time.append(file.name)
            # Two are sent at once: an expensive one may have to wait for the other, and then has all of its time.
            if seconds > 2 * SETTINGS.timeout_seconds + 1:
                fault = fault or f"took {seconds:.1f} s"
            if fault:
                self.faults.append(f"{file.name}: {fault}")

    async def _convert(self, data: bytes) -> tuple[str, str]:
        """Return what came of a file, and what is wrong with that."""
        try:
            reply = await self._pool.convert_with_metadata(data, TARGETS, interactive=True, metadata=True)
        except ImageError as error:
            return type(error).__name__, "" if _is_sentence(error.reason) else repr(error.reason)
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            return "fault", repr(error)
        return "Converted", _flaw(reply)

    async def _watch(self) -> None:
        while True:
            for process in self._pool.processes:
                with suppress(OSError, StopIteration):  # it is gone
                    self.peak = max(self.peak, _peak_memory(process) - self.at_rest)
            await asyncio.sleep(SAMPLE_SECONDS)


def _peak_memory(process: int) -> int:
    """Return the most memory that a process has ever taken, in bytes."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024


def _is_sentence(reason: str) -> bool:
    return bool(re.match(r"[A-Z][\w'-]* \S", reason))


def _flaw(reply: Reply) -> str:
    """Return what is wrong with the outputs, or ""."""
    for result, target in zip(reply.results, TARGETS, strict=True):
        if isinstance(result, Failed):
            if not _is_sentence(result.reason):
                return repr(result.reason)
            continue
        found = identify(result.data[:32])
        if found is None or found.kept_as != result.output:
            return f"an output is no {result.output}"
        if max(result.size) > max(target.max_width or 0, target.max_height or 0):
            return f"an output has {result.size} pixels"
    return ""


@pytest.fixture(scope="module")
async def attack(request: pytest.FixtureRequest) -> AsyncIterator[Attack]:
    """A pool of two processes that is sent all files."""
    captured = structlog.testing.LogCapture()
    logger = structlog.wrap_logger(
        None, processors=[captured], wrapper_class=structlog.make_filtering_bound_logger(0)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("services.worker.sandbox.pool._log", logger)
        async with SandboxPool(SETTINGS, max_pixels=100_000_000) as pool:
            attack = Attack(pool, captured.entries)
            await attack.prepare()
            yield attack
    if request.config.getoption("thorough"):
        print(_summary(attack))  # noqa: T201 - the figures are what it is run for


def _summary(attack: Attack) -> str:
    outcomes = ", ".join(f"{count} {name}" for name, count in attack.outcomes.most_common())
    crashed = Counter(" ".join(each.split("\n")[:2]) for each in attack.crashed())
    ended = f"{len(attack.over_time)} were ended for taking too long ({', '.join(attack.over_time)})"
    lines = [
        f"hostile files: {attack.outcomes.total()} of {len(KINDS)} kinds, seed {SEED}",
        f"responses: {outcomes}; wrong: {len(attack.faults)}",
        f"processes: {ended}; {crashed.total()} crashed {dict(crashed) or ''}",
        f"slowest response: {attack.slowest:.1f} s of {SETTINGS.timeout_seconds:g} s",
        f"most memory of a process above rest: {attack.peak // MEGABYTE} MiB of {SETTINGS.memory_mb} MiB",
    ]
    if not PILLOWS_OWN.exists():
        lines.append(f"SKIPPED: Pillow's own files, for there is no {PILLOWS_OWN}")
    return "\n" + "\n".join(lines)


@pytest.mark.timeout(300)
async def test_hostile_files_get_a_response_within_the_limits(attack: Attack, group: Group) -> None:
    """A result or a reason, within the limits of time and memory; the pool still converts."""
    assert await attack.send(group())

    assert not attack.faults
    assert attack.peak <= SETTINGS.memory_mb * MEGABYTE
    assert not any("Traceback" in each for each in attack.crashed())  # an exception that is not handled
    assert await attack.survivors_convert()


class Counted(io.BytesIO):
    """A file that counts what is read of it: how often, and how many bytes."""

    reads = 0
    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Read and count."""
        data = super().read(size)
        self.reads += 1
        self.taken += len(data)
        return data


@pytest.mark.parametrize("make", LONG_HEADERS.values(), ids=LONG_HEADERS)
def test_header_check_reads_a_bounded_part(make: Callable[[], bytes]) -> None:
    """Because the gateway does it, without a timeout."""
    file = Counted(make())
    with suppress(ImageError):
        check_header(file, Limits())

    assert file.reads < 11_000
    assert file.taken < 1.1 * MEGABYTE
