"""A pool of sandbox processes: each converts one image at a time, and is replaced if it crashes or hangs."""

import asyncio
import os
import time
from collections import Counter
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
from services.worker.sandbox.scheduler import Scheduler, Ticket

if TYPE_CHECKING:
    from typing_extensions import Buffer

_log = structlog.get_logger(__name__)

RefusalListener = Callable[[Mapping[str, int]], Awaitable[None]]
UNKNOWN_CALL = "unknown"
"""The name of a refused system call that the kernel does not report."""

_MAX_CRASHES = 3
_RESTART_PAUSE_SECONDS = 1.0  # a process that cannot start must not be started in a tight loop


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
    """

    def __init__(
        self,
        settings: WorkerSettings,
        *,
        max_pixels: int,
        truncated: bool = True,
        on_refused: RefusalListener | None = None,
        program: Sequence[str] = PROGRAM,
    ) -> None:
        """Prepare a pool of the *settings*' number of processes for images of up to *max_pixels*, *truncated* or not.

        *on_refused* gets the number of system calls by name that the sandbox has refused while converting an image.
        """
        self._on_refused = on_refused
        self._settings = settings
        self._max_pixels = max_pixels
        self._truncated = truncated
        self._program = program
        # Images that are expensive by their header get half of the processes while others come.
        self._scheduler = Scheduler[SandboxProcess](max_expensive=max(1, settings.process_count // 2))
        self._waiting: dict[Ticket, asyncio.Future[SandboxProcess]] = {}
        self._hold_timer: asyncio.TimerHandle | None = None
        self._supervisors: list[asyncio.Task[None]] = []
        self._alive: set[SandboxProcess] = set()
        self._filtered = True

    async def __aenter__(self) -> Self:
        """Start the processes; images may be converted at once and wait for the first one.

        Raises SettingsError if the settings require a sandbox that this machine does not have.
        """
        missing = seccomp.unavailable()
        if missing and self._settings.sandbox == "require":
            raise SettingsError(f"IMAGECONVERTER_WORKER_SANDBOX: not available on this machine: {missing}")
        if missing:
            _log.warning("sandbox without system call filter", missing=missing)
        self._filtered = not missing
        self._supervisors = [asyncio.create_task(self._supervise()) for _ in range(self._settings.process_count)]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill the processes."""
        if self._hold_timer is not None:
            self._hold_timer.cancel()
        for supervisor in self._supervisors:
            supervisor.cancel()
        await asyncio.gather(*self._supervisors, return_exceptions=True)

    @property
    def processes(self) -> list[int]:
        """The process ids."""
        return [process.pid for process in self._alive]

    async def convert(
        self, source: "Buffer", targets: Sequence[Target], *, interactive: bool
    ) -> list[Converted | Failed]:
        """Convert the image in *source* to all *targets* as the engine does, in a sandbox process.

        Raises ImageError if the image cannot be read or exceeds the limits, SystemCallRefused if that is the
        sandbox's fault.
        """
        return (await self.convert_with_metadata(source, targets, interactive=interactive, metadata=False)).results

    async def convert_with_metadata(
        self, source: "Buffer", targets: Sequence[Target], *, interactive: bool, metadata: bool
    ) -> Reply:
        """Convert, and read the metadata too if *metadata* is true. Raises what `convert` does."""
        request = Request(
            targets=list(targets),
            pixels=self._max_pixels,
            truncated=self._truncated,
            seconds=self._settings.timeout_seconds,
            metadata=metadata,
        )
        file = ipc.memory_file("source", source)
        ipc.seal(file)
        attempts = _Attempts()
        try:
            with open(file, "rb", closefd=False) as image:  # noqa: ASYNC230 - memory, by its descriptor
                expensive = is_expensive(image)
            reply = await self._convert(request, file, attempts, interactive=interactive, expensive=expensive)
        except SystemCallRefused as error:
            raise await self._refused(attempts, error.frames) from error.__cause__
        except ImageError as error:
            if attempts.refused_calls:
                raise await self._refused(attempts) from error
            raise
        finally:
            ipc.discard(file)
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
        """Ask the next free process; it has the time that those before it have left of the image's."""
        ticket, process = await self._acquire(interactive=interactive, expensive=expensive)
        before, began = process.converted, time.monotonic()
        try:
            async with asyncio.timeout(self._settings.timeout_seconds - attempts.seconds):
                return await process.ask(request, file)
        except TimeoutError:
            _log.warning("sandbox process timed out", pid=process.pid, seconds=self._settings.timeout_seconds)
            raise LimitExceeded("Converting the image took longer than is allowed.") from None
        finally:
            attempts.seconds += time.monotonic() - began
            attempts.refused_calls += process.take_refused_calls()
            self._scheduler.finish(ticket)
            # One after the other: processes that began together would all be replaced at the same time.
            whole = len(self._alive) == self._settings.process_count
            is_worn = whole and process.converted >= self._settings.pictures_per_child
            if process.converted > before and not is_worn:
                if stderr_lines := process.read_stderr():
                    _log.debug("decoder output", pid=process.pid, lines=stderr_lines)
                self._release(process)
            else:
                process.kill()

    async def _acquire(self, *, interactive: bool, expensive: bool) -> tuple[Ticket, SandboxProcess]:
        loop = asyncio.get_running_loop()
        ticket = self._scheduler.submit(interactive=interactive, expensive=expensive, now=loop.time())
        self._waiting[ticket] = assigned = loop.create_future()
        self._dispatch()
        try:
            return ticket, await assigned
        except asyncio.CancelledError:
            self._withdraw_canceled()
            if not assigned.cancelled():
                self._scheduler.finish(ticket)
                self._release(assigned.result())
            raise

    def _withdraw_canceled(self) -> None:
        for ticket in [ticket for ticket, assigned in self._waiting.items() if assigned.cancelled()]:
            self._scheduler.withdraw(ticket)
            del self._waiting[ticket]

    def _release(self, process: SandboxProcess) -> None:
        self._scheduler.add(process)
        self._dispatch()

    def _dispatch(self) -> None:
        """Hand free processes to waiting images, now and when the scheduler may allow more."""
        loop = asyncio.get_running_loop()
        self._withdraw_canceled()  # whose callers have not run since
        for ticket, process in self._scheduler.assign(loop.time()):
            self._waiting.pop(ticket).set_result(process)
        if self._hold_timer is not None:
            self._hold_timer.cancel()
        again_at = self._scheduler.assign_again_at()
        self._hold_timer = None if again_at is None else loop.call_at(again_at, self._dispatch)

    async def _supervise(self) -> None:
        """Keep one process running."""
        while True:
            memory_bytes = self._settings.memory_mb * MEGABYTE
            try:
                process = await SandboxProcess.start(self._program, memory_bytes, filtered=self._filtered)
            except OSError as error:
                _log.warning("sandbox process does not start", lines=[str(error)])
                await asyncio.sleep(_RESTART_PAUSE_SECONDS)
                continue
            try:
                await process.ready()
                self._alive.add(process)
                self._release(process)
                end = await process.end()
                _log.info(
                    "sandbox process ended",
                    pid=process.pid,
                    end=end,
                    converted=process.converted,
                    lines=process.read_stderr(),
                )
            except ProcessUnavailable:
                _log.warning("sandbox process does not start", pid=process.pid, lines=process.read_stderr())
                await asyncio.sleep(_RESTART_PAUSE_SECONDS)
            finally:
                self._alive.discard(process)
                self._scheduler.discard(process)
                process.kill()
                await process.end()
                process.close()
