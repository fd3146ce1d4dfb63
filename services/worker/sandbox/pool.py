"""A pool of children: each converts one image at a time, and is killed and replaced where it misbehaves."""

import asyncio
import os
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Self

import structlog

from imageconverter.engine import Converted, Failed, Target
from imageconverter.engine.header import is_expensive
from imageconverter.errors import ImageError, LimitExceeded, Unavailable, Undecodable
from imageconverter.settings import MEGABYTE, SettingsError, WorkerSettings
from services.worker.sandbox import ipc, seccomp
from services.worker.sandbox.messages import Reply, Request
from services.worker.sandbox.process import (
    PROGRAM,
    ProcessCrashed,
    ProcessUnavailable,
    SandboxProcess,
    SystemCallRefused,
)

if TYPE_CHECKING:
    from typing_extensions import Buffer

_log = structlog.get_logger(__name__)

RefusalListener = Callable[[Mapping[str, int]], Awaitable[None]]
UNKNOWN_CALL = "unknown"
"""The name of a refused system call that the kernel does not report."""

_MAX_CRASHES = 3
_EXPENSIVE_HOLD_SECONDS = 1.0  # without any other image, after which dear ones get all children
_RESTART_PAUSE_SECONDS = 1.0  # seconds; one that cannot start must not be started in a tight loop


@dataclass
class _Attempts:
    """What the processes so far have used for one image."""

    seconds: float = 0.0
    crashes: int = 0
    refused_calls: Counter[str] = field(default_factory=Counter)
    """By name, as far as the kernel reports them."""


@dataclass(frozen=True)
class _Waiting:
    """An image that waits for a child."""

    process: asyncio.Future[SandboxProcess]
    expensive: bool


class SandboxPool:
    """Children that convert images; urgent images are served before patient ones.

    While others come, images that are dear by their header get half of the children, so that a few of them never
    hold up all the rest.

    Use as an async context manager. A child that crashes, hangs or outgrows its memory costs the one
    image; after a crash it is tried in another child first, for the one may have been killed from outside.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        *,
        max_pixels: int,
        on_refused: RefusalListener | None = None,
        program: Sequence[str] = PROGRAM,
    ) -> None:
        """Prepare a pool of the *settings*' number of processes for images of up to *max_pixels*.

        *on_refused* gets the number of system calls by name that the sandbox has refused while converting an image.
        """
        self._on_refused = on_refused
        self._settings = settings
        self._max_pixels = max_pixels
        self._program = program
        self._free: list[SandboxProcess] = []
        self._interactive: deque[_Waiting] = deque()
        self._batch: deque[_Waiting] = deque()
        self._expensive = 0  # images in hand
        self._idle_since = 0.0
        self._hold_timer: asyncio.TimerHandle | None = None
        self._supervisors: list[asyncio.Task[None]] = []
        self._alive: set[SandboxProcess] = set()
        self._filtered = True

    async def __aenter__(self) -> Self:
        """Start the children; returns when the first image can be handed over.

        Raises SettingsError where the settings demand a sandbox that this machine does not have.
        """
        missing = seccomp.unavailable()
        if missing and self._settings.sandbox == "require":
            raise SettingsError(f"IMAGECONVERTER_WORKER_SANDBOX: cannot be had here: {missing}")
        if missing:
            _log.warning("children are not barred from files, network and processes", missing=missing)
        self._filtered = not missing
        self._supervisors = [asyncio.create_task(self._supervise()) for _ in range(self._settings.process_count)]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill the children."""
        if self._hold_timer is not None:
            self._hold_timer.cancel()
        for supervisor in self._supervisors:
            supervisor.cancel()
        await asyncio.gather(*self._supervisors, return_exceptions=True)

    @property
    def processes(self) -> list[int]:
        """The process ids of the children."""
        return [process.pid for process in self._alive]

    async def convert(
        self, source: "Buffer", targets: Sequence[Target], *, interactive: bool
    ) -> list[Converted | Failed]:
        """Convert the image in *source* to all *targets* as the engine does, in a child.

        Raises ImageError where the image cannot be read or breaks the limits.
        """
        return (await self.convert_with_metadata(source, targets, interactive=interactive, metadata=False)).results

    async def convert_with_metadata(
        self, source: "Buffer", targets: Sequence[Target], *, interactive: bool, metadata: bool
    ) -> Reply:
        """Convert, and with *metadata* tell what the file says of itself. Raises what `convert` does."""
        request = Request(
            targets=list(targets),
            pixels=self._max_pixels,
            seconds=self._settings.timeout_seconds,
            metadata=metadata,
        )
        file = ipc.memory_file("source", source)
        attempts = _Attempts()
        try:
            with open(file, "rb", closefd=False) as image:  # noqa: ASYNC230 - memory, by its descriptor
                expensive = is_expensive(image)
            reply = await self._convert(request, file, attempts, interactive=interactive, expensive=expensive)
        except SystemCallRefused as error:
            await self._report_refusal(attempts, error.frames)
            raise
        except ImageError as error:
            if attempts.refused_calls:
                await self._report_refusal(attempts)
                raise SystemCallRefused from error
            raise
        finally:
            os.close(file)
        if attempts.refused_calls:
            await self._report_refusal(attempts)
            if any(isinstance(result, Failed) for result in reply.results):
                raise SystemCallRefused
        return reply

    async def _report_refusal(self, attempts: _Attempts, frames: Sequence[str] = ()) -> None:
        calls = attempts.refused_calls or {UNKNOWN_CALL: 1}
        _log.error("system call refused", system_calls=dict(calls), frames=list(frames))
        if self._on_refused is not None:
            with suppress(Unavailable):  # the log has it
                await self._on_refused(calls)

    async def _convert(
        self, request: Request, file: int, attempts: _Attempts, *, interactive: bool, expensive: bool
    ) -> Reply:
        """Ask one process after the other until one responds; raises Undecodable if several crash."""
        while attempts.crashes < _MAX_CRASHES:
            os.lseek(file, 0, os.SEEK_SET)  # the process before has moved the shared position
            try:
                return await self._ask(request, file, attempts, interactive=interactive, expensive=expensive)
            except ProcessUnavailable:
                continue
            except ProcessCrashed as error:
                attempts.crashes += 1
                _log.warning("sandbox process lost with an image", reason=str(error), crashes=attempts.crashes)
        raise Undecodable("The decoder crashed on this image.")

    async def _ask(
        self, request: Request, file: int, attempts: _Attempts, *, interactive: bool, expensive: bool
    ) -> Reply:
        """Ask the next free child; it has the time that those before it have left of what the image may take."""
        process = await self._acquire(interactive=interactive, expensive=expensive)
        before, began = process.converted, time.monotonic()
        try:
            async with asyncio.timeout(self._settings.timeout_seconds - attempts.seconds):
                return await process.ask(request, file)
        except TimeoutError:
            _log.warning("child over its time", pid=process.pid, seconds=self._settings.timeout_seconds)
            raise LimitExceeded("Converting the image took longer than is allowed.") from None
        finally:
            attempts.seconds += time.monotonic() - began
            attempts.refused_calls += process.take_refused_calls()
            self._expensive -= expensive
            # One after the other: children that began together would all be replaced at the same time.
            whole = len(self._alive) == self._settings.process_count
            is_worn = whole and process.converted >= self._settings.pictures_per_child
            if process.converted > before and not is_worn:
                if stderr_lines := process.read_stderr():
                    _log.debug("decoder wrote", pid=process.pid, lines=stderr_lines)
                self._release(process)
            else:
                process.kill()

    async def _acquire(self, *, interactive: bool, expensive: bool) -> SandboxProcess:
        loop = asyncio.get_running_loop()
        if not expensive:
            self._idle_since = loop.time() + _EXPENSIVE_HOLD_SECONDS
        waiting = _Waiting(loop.create_future(), expensive)
        (self._interactive if interactive else self._batch).append(waiting)
        self._dispatch()
        try:
            return await waiting.process
        except asyncio.CancelledError:
            if waiting.process.done() and not waiting.process.cancelled():
                self._expensive -= expensive
                self._release(waiting.process.result())
            raise

    def _release(self, process: SandboxProcess) -> None:
        self._free.append(process)
        self._dispatch()

    def _dispatch(self) -> None:
        """Hand free children to those who wait, in their order, but leave some for what is not dear."""
        now = asyncio.get_running_loop().time()
        for queue in (self._interactive, self._batch):
            for waiting in list(queue):
                held = waiting.expensive and now < self._idle_since and self._expensive >= self._max_expensive
                if self._free and not held:
                    queue.remove(waiting)
                    if not waiting.process.done():
                        self._expensive += waiting.expensive
                        waiting.process.set_result(self._free.pop())
        if self._hold_timer is not None:
            self._hold_timer.cancel()
            self._hold_timer = None
        if self._free and (self._interactive or self._batch):
            self._hold_timer = asyncio.get_running_loop().call_at(self._idle_since, self._dispatch)

    @property
    def _max_expensive(self) -> int:
        return max(1, self._settings.process_count // 2)

    async def _supervise(self) -> None:
        """Keep one child running, for ever."""
        while True:
            memory_bytes = self._settings.memory_mb * MEGABYTE
            try:
                process = await SandboxProcess.start(self._program, memory_bytes, filtered=self._filtered)
            except OSError as error:
                _log.warning("child does not start", lines=[str(error)])
                await asyncio.sleep(_RESTART_PAUSE_SECONDS)
                continue
            try:
                await process.ready()
                self._alive.add(process)
                self._release(process)
                end = await process.end()
                stderr_lines = process.read_stderr()
                _log.info("child ended", pid=process.pid, end=end, converted=process.converted, lines=stderr_lines)
            except ProcessUnavailable:
                _log.warning("child does not start", pid=process.pid, lines=process.read_stderr())
                await asyncio.sleep(_RESTART_PAUSE_SECONDS)
            finally:
                self._alive.discard(process)
                if process in self._free:
                    self._free.remove(process)
                process.kill()
                await process.end()
                process.close()
