"""A pool of children: each converts one image at a time, and is killed and replaced where it misbehaves."""

import asyncio
import os
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

import structlog

from imageconverter.engine import Converted, Failed, Target
from imageconverter.engine.header import is_expensive
from imageconverter.errors import LimitExceeded, Undecodable
from imageconverter.settings import MEGABYTE, SettingsError, WorkerSettings
from services.worker.sandbox import ipc, seccomp
from services.worker.sandbox.messages import Reply, Request
from services.worker.sandbox.process import PROGRAM, Absent, Child, Crashed

if TYPE_CHECKING:
    from typing_extensions import Buffer

_log = structlog.get_logger(__name__)

_MAX_CRASHES = 3
_QUIET_SECONDS = 1.0  # without any other image, after which dear ones get all children
_PAUSE_AFTER_USELESS_CHILD = 1.0  # seconds; one that cannot start must not be started in a tight loop


@dataclass
class _Spent:
    """What the children that were asked so far have taken for one image."""

    seconds: float = 0.0


@dataclass(frozen=True)
class _Waiting:
    """An image that waits for a child."""

    child: asyncio.Future[Child]
    expensive: bool


class ChildPool:
    """Children that convert images; urgent images are served before patient ones.

    While others come, images that are dear by their header get half of the children, so that a few of them never
    hold up all the rest.

    Use as an async context manager. A child that crashes, hangs or outgrows its memory costs the one
    image; after a crash it is tried in another child first, for the one may have been killed from outside.
    """

    def __init__(self, settings: WorkerSettings, *, max_pixels: int, program: Sequence[str] = PROGRAM) -> None:
        """Prepare a pool of the *settings*' number of children for images of up to *max_pixels*."""
        self._settings = settings
        self._max_pixels = max_pixels
        self._program = program
        self._free: list[Child] = []
        self._urgent: deque[_Waiting] = deque()
        self._patient: deque[_Waiting] = deque()
        self._expensive = 0  # images in hand
        self._quiet_from = 0.0
        self._later: asyncio.TimerHandle | None = None
        self._keepers: list[asyncio.Task[None]] = []
        self._alive: set[Child] = set()
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
        self._keepers = [asyncio.create_task(self._keep_one()) for _ in range(self._settings.child_count)]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill the children."""
        if self._later is not None:
            self._later.cancel()
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)

    @property
    def children(self) -> list[int]:
        """The process ids of the children."""
        return [child.pid for child in self._alive]

    async def convert(self, source: "Buffer", targets: Sequence[Target], *, urgent: bool) -> list[Converted | Failed]:
        """Convert the image in *source* to all *targets* as the engine does, in a child.

        Raises ImageError where the image cannot be read or breaks the limits.
        """
        return (await self.convert_and_look(source, targets, urgent=urgent, metadata=False)).results

    async def convert_and_look(
        self, source: "Buffer", targets: Sequence[Target], *, urgent: bool, metadata: bool
    ) -> Reply:
        """Convert, and with *metadata* tell what the file says of itself. Raises what `convert` does."""
        request = Request(
            targets=list(targets),
            pixels=self._max_pixels,
            seconds=self._settings.timeout_seconds,
            metadata=metadata,
        )
        file = ipc.memory_file("source", source)
        crashes, spent = 0, _Spent()
        try:
            with open(file, "rb", closefd=False) as image:  # noqa: ASYNC230 - memory, by its descriptor
                expensive = is_expensive(image)
            while crashes < _MAX_CRASHES:
                os.lseek(file, 0, os.SEEK_SET)  # the child before moved the shared position
                try:
                    return await self._ask(request, file, spent, urgent=urgent, expensive=expensive)
                except Absent:
                    continue
                except Crashed as error:
                    crashes += 1
                    _log.warning("child lost with an image", reason=str(error), crashes=crashes)
        finally:
            os.close(file)
        raise Undecodable("The decoder crashed on this image.")

    async def _ask(self, request: Request, file: int, spent: _Spent, *, urgent: bool, expensive: bool) -> Reply:
        """Ask the next free child; it has the time that those before it have left of what the image may take."""
        child = await self._take(urgent=urgent, expensive=expensive)
        before, began = child.converted, time.monotonic()
        try:
            async with asyncio.timeout(self._settings.timeout_seconds - spent.seconds):
                return await child.ask(request, file)
        except TimeoutError:
            _log.warning("child over its time", pid=child.pid, seconds=self._settings.timeout_seconds)
            raise LimitExceeded("Converting the image took longer than is allowed.") from None
        finally:
            spent.seconds += time.monotonic() - began
            self._expensive -= expensive
            # One after the other: children that began together would all be replaced at the same time.
            whole = len(self._alive) == self._settings.child_count
            is_worn = whole and child.converted >= self._settings.pictures_per_child
            if child.converted > before and not is_worn:
                if words := child.last_words():
                    _log.debug("decoder wrote", pid=child.pid, lines=words)
                self._give(child)
            else:
                child.kill()

    async def _take(self, *, urgent: bool, expensive: bool) -> Child:
        loop = asyncio.get_running_loop()
        if not expensive:
            self._quiet_from = loop.time() + _QUIET_SECONDS
        waiting = _Waiting(loop.create_future(), expensive)
        (self._urgent if urgent else self._patient).append(waiting)
        self._serve()
        try:
            return await waiting.child
        except asyncio.CancelledError:
            if waiting.child.done() and not waiting.child.cancelled():
                self._expensive -= expensive
                self._give(waiting.child.result())
            raise

    def _give(self, child: Child) -> None:
        self._free.append(child)
        self._serve()

    def _serve(self) -> None:
        """Hand free children to those who wait, in their order, but leave some for what is not dear."""
        now = asyncio.get_running_loop().time()
        for queue in (self._urgent, self._patient):
            for waiting in list(queue):
                held = waiting.expensive and now < self._quiet_from and self._expensive >= self._max_expensive
                if self._free and not held:
                    queue.remove(waiting)
                    if not waiting.child.done():
                        self._expensive += waiting.expensive
                        waiting.child.set_result(self._free.pop())
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if self._free and (self._urgent or self._patient):
            self._later = asyncio.get_running_loop().call_at(self._quiet_from, self._serve)

    @property
    def _max_expensive(self) -> int:
        return max(1, self._settings.child_count // 2)

    async def _keep_one(self) -> None:
        """Keep one child running, for ever."""
        while True:
            memory_bytes = self._settings.memory_mb * MEGABYTE
            try:
                child = await Child.start(self._program, memory_bytes, filtered=self._filtered)
            except OSError as error:
                _log.warning("child does not start", lines=[str(error)])
                await asyncio.sleep(_PAUSE_AFTER_USELESS_CHILD)
                continue
            try:
                await child.ready()
                self._alive.add(child)
                self._give(child)
                end = await child.end()
                words = child.last_words()
                _log.info("child ended", pid=child.pid, end=end, converted=child.converted, lines=words)
            except Absent:
                _log.warning("child does not start", pid=child.pid, lines=child.last_words())
                await asyncio.sleep(_PAUSE_AFTER_USELESS_CHILD)
            finally:
                self._alive.discard(child)
                if child in self._free:
                    self._free.remove(child)
                child.kill()
                await child.end()
                child.close()
