"""A pool of children: each converts one picture at a time, and is killed and replaced where it misbehaves."""

import asyncio
import contextlib
import os
import socket
import sys
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import structlog

from imageconverter import errors
from imageconverter.engine import Converted, Failed, Target
from imageconverter.errors import LimitExceeded, PictureError, Undecodable
from imageconverter.settings import MEGABYTE, Worker
from services.worker.children import parcel

if TYPE_CHECKING:
    from typing_extensions import Buffer

_log = structlog.get_logger(__name__)

_CRASHES_TO_BLAME_THE_PICTURE = 3
_PAUSE_AFTER_USELESS_CHILD = 1.0  # seconds; one that cannot even start must not be started in a tight loop


class _Absent(Exception):  # noqa: N818 - private to this file
    """The child was dead before it got the picture."""


class _Crashed(Exception):  # noqa: N818 - private to this file
    """The child died with the picture in its hands."""


class _Child:
    """One child process and the channel to it."""

    def __init__(self, process: asyncio.subprocess.Process, channel: socket.socket) -> None:
        self.process = process
        self.channel = channel
        self.converted = 0

    async def ask(self, header: dict[str, Any], source: int) -> tuple[dict[str, Any], bytes]:
        """Hand over a parcel and wait for the answer; raises _Absent or _Crashed where the child is dead."""
        try:
            parcel.send(self.channel, header, source)
        except OSError as error:
            raise _Absent from error
        await _readable(self.channel)
        try:
            answer, file = parcel.receive(self.channel)
        except (EOFError, OSError) as error:
            raise _Crashed from error
        with os.fdopen(file, "rb") as outputs:
            outputs.seek(0)
            data = outputs.read()
        self.converted += 1
        return answer, data

    def kill(self) -> None:
        """End the process; the pool notices and starts another."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()


class ChildPool:
    """Children that convert pictures; urgent pictures are served before patient ones.

    Use as an async context manager. A child that crashes, hangs or outgrows its memory costs the one
    picture; after a crash it is tried in another child first, for the one may have been killed from outside.
    """

    def __init__(self, settings: Worker, *, max_pixels: int) -> None:
        """Prepare a pool of the *settings*' number of children for pictures of up to *max_pixels*."""
        self._settings = settings
        self._max_pixels = max_pixels
        self._free: list[_Child] = []
        self._urgent: deque[asyncio.Future[_Child]] = deque()
        self._patient: deque[asyncio.Future[_Child]] = deque()
        self._keepers: list[asyncio.Task[None]] = []
        self._alive: set[_Child] = set()

    async def __aenter__(self) -> Self:
        """Start the children; returns when the first picture can be handed over."""
        self._keepers = [asyncio.create_task(self._keep_one()) for _ in range(self._settings.child_count)]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill the children."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)

    @property
    def children(self) -> list[int]:
        """The process ids of the children."""
        return [child.process.pid for child in self._alive]

    async def convert(self, source: "Buffer", targets: Sequence[Target], *, urgent: bool) -> list[Converted | Failed]:
        """Convert the picture in *source* to all *targets* as `engine.convert` does, in a child.

        Raises PictureError where the picture cannot be read or breaks the limits.
        """
        header = {
            "targets": [target.model_dump() for target in targets],
            "pixels": self._max_pixels,
            "seconds": self._settings.timeout_seconds,
        }
        file = parcel.pack([source], "source")
        crashes = 0
        try:
            while crashes < _CRASHES_TO_BLAME_THE_PICTURE:
                os.lseek(file, 0, os.SEEK_SET)  # the child before moved the shared position
                try:
                    return _unpack(*await self._ask(header, file, urgent=urgent))
                except _Absent:
                    continue
                except _Crashed:
                    crashes += 1
        finally:
            os.close(file)
        raise Undecodable("The decoder crashed on this picture.")

    async def _ask(self, header: dict[str, Any], file: int, *, urgent: bool) -> tuple[dict[str, Any], bytes]:
        child = await self._take(urgent=urgent)
        fit_for_more = False
        try:
            async with asyncio.timeout(self._settings.timeout_seconds):
                answer = await child.ask(header, file)
            fit_for_more = child.converted < self._settings.pictures_per_child
        except TimeoutError:
            _log.warning("child over its time", pid=child.process.pid, seconds=self._settings.timeout_seconds)
            raise LimitExceeded("Converting the picture took longer than is allowed.") from None
        finally:
            if fit_for_more:
                self._give(child)
            else:
                child.kill()
        return answer

    async def _take(self, *, urgent: bool) -> _Child:
        if self._free:
            return self._free.pop()
        waiting: asyncio.Future[_Child] = asyncio.get_running_loop().create_future()
        (self._urgent if urgent else self._patient).append(waiting)
        try:
            return await waiting
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled():
                self._give(waiting.result())
            raise

    def _give(self, child: _Child) -> None:
        for queue in (self._urgent, self._patient):
            while queue:
                waiting = queue.popleft()
                if not waiting.done():
                    waiting.set_result(child)
                    return
        self._free.append(child)

    async def _keep_one(self) -> None:
        """Keep one child running, for ever."""
        while True:
            child = await self._start()
            self._alive.add(child)
            self._give(child)
            try:
                code = await child.process.wait()
                _log.info("child replaced", pid=child.process.pid, code=code, converted=child.converted)
            finally:
                self._alive.discard(child)
                if child in self._free:
                    self._free.remove(child)
                child.kill()
                await child.process.wait()
                child.channel.close()
            if not child.converted:
                await asyncio.sleep(_PAUSE_AFTER_USELESS_CHILD)

    async def _start(self) -> _Child:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            ours.setblocking(False)  # noqa: FBT003 - the socket module's own signature
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-I",
                "-m",
                "services.worker.children.child",
                str(theirs.fileno()),
                str(self._settings.memory_mb * MEGABYTE),
                pass_fds=[theirs.fileno()],
                stdin=asyncio.subprocess.DEVNULL,
                env={"LANG": "C.UTF-8"},  # nothing of the worker's own environment: it holds secrets
            )
        return _Child(process, ours)


def _unpack(answer: dict[str, Any], data: bytes) -> list[Converted | Failed]:
    if "error" in answer:
        kind = getattr(errors, answer["error"])
        if not issubclass(kind, PictureError):  # the child is not trusted
            raise Undecodable("The decoder gave no answer that makes sense.")
        raise kind(answer["reason"])
    results: list[Converted | Failed] = []
    position = 0
    for each in answer["results"]:
        if "failed" in each:
            results.append(Failed(each["failed"]))
            continue
        end = position + each["bytes"]
        results.append(
            Converted(data[position:end], each["output"], tuple(each["size"]), each["seconds"], each["warning"])
        )
        position = end
    return results


async def _readable(channel: socket.socket) -> None:
    """Wait until *channel* has a message or the other side is gone."""
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    loop.add_reader(channel, ready.set_result, None)
    try:
        await ready
    finally:
        loop.remove_reader(channel)
