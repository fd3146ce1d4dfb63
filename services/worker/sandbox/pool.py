"""A pool of sandbox processes: each converts one image at a time, and is replaced if it crashes or hangs."""

import asyncio
import math
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Self

import structlog

from imageconverter import tracing
from imageconverter.engine import Converted, Failed, Target
from imageconverter.engine.header import is_expensive
from imageconverter.errors import ImageError, LimitExceeded, Unavailable, Undecodable
from imageconverter.settings import MEGABYTE, SettingsError, WorkerSettings
from services.worker.sandbox import ipc, seccomp
from services.worker.sandbox.conversion import Conversion, TurnedExpensive
from services.worker.sandbox.cost import CostMemory, Traits, traits
from services.worker.sandbox.fork_server import PROGRAM
from services.worker.sandbox.messages import Reply, Request
from services.worker.sandbox.niceness import Niceness
from services.worker.sandbox.process import ProcessCrashed, ProcessUnavailable, SystemCallRefused
from services.worker.sandbox.processes import EventListener, Processes
from services.worker.sandbox.scheduler import Scheduler, Ticket

if TYPE_CHECKING:
    from typing_extensions import Buffer

_log = structlog.get_logger(__name__)

RefusalListener = Callable[[Mapping[str, int]], Awaitable[None]]
UNKNOWN_CALL = "unknown"
"""The name of a refused system call that the kernel does not report."""

_MAX_CRASHES = 3
_IMAGES_PER_PROCESS = 20  # as many as the time limit allows at least, until the kernel ends a process
_IDLE_PER_RUNNING = 2  # the processes of owners that may come back, compared with those that convert


class ExpensiveImage(Exception):  # noqa: N818 - named after what it is
    """The image takes long, and others like it are being converted: it should be queued again as expensive."""


@dataclass
class _Attempts:
    """What the processes so far have used for one image."""

    seconds: float = 0.0
    crashes: int = 0
    refused_calls: Counter[str] = field(default_factory=Counter)
    """By name, as far as the kernel reports them."""


class SandboxPool:
    """Sandbox processes that convert images; which image is next is up to the `Scheduler`.

    Use as an async context manager. A process that crashes, hangs or exceeds its memory costs the one image; after a
    crash the image is tried in another process first, because the one may have been killed from outside.

    A process converts images of one owner only; images without one have "" as their owner, all of them together.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        *,
        max_pixels: int,
        truncated: bool = True,
        on_refused: RefusalListener | None = None,
        on_event: EventListener = lambda _: None,
        program: Sequence[str] = PROGRAM,
    ) -> None:
        """Prepare a pool of the *settings*' number of processes for images of up to *max_pixels*, *truncated* or not.

        *on_refused* gets the number of system calls by name that the sandbox has refused while converting an image,
        and *on_event* what happens to processes.
        """
        self._on_event = on_event
        self._on_refused = on_refused
        self._settings = settings
        self._max_pixels = max_pixels
        self._truncated = truncated
        self._program = program
        self._scheduler = Scheduler(cores=settings.process_count)
        self._costs = CostMemory()
        self._waiting: dict[Ticket, asyncio.Future[None]] = {}
        self._hold_timer: asyncio.TimerHandle | None = None
        self._processes = self._prepare(filtered=True)
        self.missing = ""
        """Why system calls are not filtered; "" if they are."""

    def _prepare(self, *, filtered: bool) -> Processes:
        seconds = self._settings.timeout_seconds
        return Processes(
            self._program,
            max_idle=_IDLE_PER_RUNNING * self._scheduler.max_running,
            max_images=self._settings.pictures_per_child,
            memory_bytes=self._settings.memory_mb * MEGABYTE,
            cpu_seconds=math.ceil(_IMAGES_PER_PROCESS * seconds),
            image_seconds=2 * seconds,  # with its threads
            filtered=filtered,
            on_event=self._on_event,
        )

    async def __aenter__(self) -> Self:
        """Start the processes; images may be converted at once and wait for the first one.

        Raises SettingsError if the settings require a sandbox that this machine does not have.
        """
        missing = seccomp.unavailable()
        if missing and self._settings.sandbox == "require":
            raise SettingsError(f"IMAGECONVERTER_WORKER_SANDBOX: not available on this machine: {missing}")
        if missing:
            _log.warning("sandbox without system call filter", missing=missing)
        self.missing = missing
        self._processes = self._prepare(filtered=not missing)
        self._processes.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill the processes."""
        if self._hold_timer is not None:
            self._hold_timer.cancel()
        await self._processes.stop()

    @property
    def processes(self) -> list[int]:
        """The process ids."""
        return self._processes.alive

    @property
    def converting(self) -> int:
        """The number of images that are being converted."""
        return self._scheduler.running

    async def convert(
        self,
        source: "Buffer",
        targets: Sequence[Target],
        *,
        interactive: bool,
        owner: str = "",
        expensive: bool = False,
        may_move: bool = False,
        watermarks: Mapping[str, "Buffer"] | None = None,
    ) -> list[Converted | Failed]:
        """Convert the image in *source* to all *targets* as the engine does, in a sandbox process.

        *watermarks* are the files of those of the targets, by their paths.

        It may be known as *expensive*. Raises ImageError if the image cannot be read or exceeds the limits,
        SystemCallRefused if that is the sandbox's fault, and ExpensiveImage instead of waiting for others that are
        expensive, if *may_move* is true.
        """
        reply = await self.convert_with_metadata(
            source,
            targets,
            interactive=interactive,
            owner=owner,
            metadata=False,
            expensive=expensive,
            may_move=may_move,
            watermarks=watermarks,
        )
        return reply.results

    async def convert_with_metadata(
        self,
        source: "Buffer",
        targets: Sequence[Target],
        *,
        interactive: bool,
        metadata: bool,
        facts: bool = False,
        owner: str = "",
        expensive: bool = False,
        may_move: bool = False,
        watermarks: Mapping[str, "Buffer"] | None = None,
    ) -> Reply:
        """Convert, and read the metadata and the facts too, if that is wanted. Raises what `convert` does."""
        marks = watermarks or {}
        request = Request(
            targets=list(targets),
            pixels=self._max_pixels,
            truncated=self._truncated,
            metadata=metadata,
            facts=facts,
            watermarks={path: memoryview(data).nbytes for path, data in marks.items()},
        )
        attempts = _Attempts()
        with ExitStack() as files:
            file = _sealed_file(files, "source", source)
            watermarks_file = _sealed_file(files, "watermarks", b"".join(marks.values())) if marks else None
            image = _Image(file, watermarks_file, traits(source), owner, interactive=interactive, may_move=may_move)
            try:
                with open(file, "rb", closefd=False) as opened:  # noqa: ASYNC230 - memory, by its descriptor
                    image.expensive = expensive or self._costs.is_expensive(image.traits) or is_expensive(opened)
                with tracing.span("sandbox convert", outputs=len(targets), bytes=memoryview(source).nbytes):
                    reply = await self._convert(request, image, attempts)
            except SystemCallRefused as error:
                raise await self._refused(attempts, error.frames) from error.__cause__
            except ImageError as error:
                if attempts.refused_calls:
                    raise await self._refused(attempts) from error
                raise
        if attempts.refused_calls:
            refused = await self._refused(attempts)
            if any(isinstance(result, Failed) for result in reply.results):
                raise refused
        return reply

    async def _refused(self, attempts: _Attempts, frames: Sequence[str] = ()) -> SystemCallRefused:
        """Log and count what was refused; returns the error for it."""
        calls = attempts.refused_calls or {UNKNOWN_CALL: 1}
        _log.error("system call refused", system_calls=dict(calls), frames=list(frames))
        if self._on_refused is not None:
            with suppress(Unavailable):  # the log has it
                await self._on_refused(calls)
        return SystemCallRefused(frames, list(calls))

    async def _convert(self, request: Request, image: "_Image", attempts: _Attempts) -> Reply:
        """Ask one process after the other until one responds; raises Undecodable if several crash."""
        while attempts.crashes < _MAX_CRASHES:
            for file in filter(None, (image.file, image.watermarks)):
                os.lseek(file, 0, os.SEEK_SET)  # the process before has moved the shared position
            try:
                return await self._ask(request, image, attempts)
            except ProcessUnavailable:
                continue
            except TurnedExpensive:
                attempts.seconds = 0.0
                if image.may_move:
                    raise ExpensiveImage from None
                image.expensive = True
            except ProcessCrashed as error:
                attempts.crashes += 1
                self._on_event("crashed")
                _log.warning("sandbox process lost with an image", reason=str(error), crashes=attempts.crashes)
        raise Undecodable("The decoder crashed on this image.")

    async def _ask(self, request: Request, image: "_Image", attempts: _Attempts) -> Reply:
        """Ask a process; it has the time that those before it have left of the image's."""
        ticket = await self._acquire(image)
        try:
            process = await self._processes.take(image.owner, _niceness(ticket))
            conversion = Conversion(process, self._settings.timeout_seconds - attempts.seconds)
            try:
                return await conversion.run(
                    request, image.file, image.watermarks, lambda: self._become_expensive(image, ticket)
                )
            except LimitExceeded:
                if not process.has_responded:
                    self._on_event("timed out")
                    _log.warning("sandbox process timed out", pid=process.pid, seconds=self._settings.timeout_seconds)
                raise
            finally:
                if process.has_responded or conversion.is_expensive:
                    self._costs.add(image.traits, expensive=conversion.is_expensive)
                attempts.refused_calls += process.take_refused_calls()
                if process.has_responded:
                    if stderr_lines := process.read_stderr():
                        _log.debug("decoder output", pid=process.pid, lines=stderr_lines)
                    self._processes.give_back(process)
                else:
                    attempts.seconds += conversion.seconds
                    process.kill()
        finally:
            self._scheduler.finish(ticket)
            self._dispatch()

    def _become_expensive(self, image: "_Image", ticket: Ticket) -> bool:
        """Count an image that is being converted as expensive, if there is room; others may begin then."""
        self._costs.add(image.traits, expensive=True)
        became = self._scheduler.become_expensive(ticket, asyncio.get_running_loop().time())
        if became:
            self._dispatch()
        return became

    async def _acquire(self, image: "_Image") -> Ticket:
        """Wait until the image may be converted; raises ExpensiveImage if it would wait for others that are."""
        loop = asyncio.get_running_loop()
        ticket = self._scheduler.submit(interactive=image.interactive, expensive=image.expensive, now=loop.time())
        self._waiting[ticket] = begun = loop.create_future()
        self._dispatch()
        if image.expensive and image.may_move and not begun.done():
            begun.cancel()
            self._withdraw_canceled()
            raise ExpensiveImage
        try:
            await begun
        except asyncio.CancelledError:
            self._withdraw_canceled()
            if not begun.cancelled():
                self._scheduler.finish(ticket)
                self._dispatch()
            raise
        return ticket

    def _withdraw_canceled(self) -> None:
        for ticket in [ticket for ticket, begun in self._waiting.items() if begun.cancelled()]:
            self._scheduler.withdraw(ticket)
            del self._waiting[ticket]

    def _dispatch(self) -> None:
        """Let waiting images begin, now and when the scheduler may allow more."""
        loop = asyncio.get_running_loop()
        self._withdraw_canceled()  # whose callers have not run since
        for ticket in self._scheduler.begin(loop.time()):
            self._waiting.pop(ticket).set_result(None)
        if self._hold_timer is not None:
            self._hold_timer.cancel()
        again_at = self._scheduler.begin_again_at(loop.time())
        self._hold_timer = None if again_at is None else loop.call_at(again_at, self._dispatch)


def _sealed_file(files: ExitStack, name: str, data: "Buffer") -> int:
    """Return a memory file with *data*, which is freed with *files*."""
    file = ipc.memory_file(name, data)
    files.callback(ipc.discard, file)
    ipc.seal(file)
    return file


def _niceness(ticket: Ticket) -> Niceness:
    if ticket.expensive:
        return Niceness.EXPENSIVE
    return Niceness.INTERACTIVE if ticket.interactive else Niceness.BATCH


@dataclass
class _Image:
    """An image that is to be converted."""

    file: int
    """Its memory file."""
    watermarks: int | None
    """The memory file of the watermarks, None if there are none."""
    traits: Traits
    owner: str
    interactive: bool
    may_move: bool
    expensive: bool = False
