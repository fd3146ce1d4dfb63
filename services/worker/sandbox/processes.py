"""The sandbox processes of a worker: each sees the images of one owner only, and waits for the next of them."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import structlog

from services.worker.sandbox.fork_server import ForkServer
from services.worker.sandbox.niceness import Niceness
from services.worker.sandbox.process import ProcessUnavailable, SandboxProcess

_log = structlog.get_logger(__name__)

if TYPE_CHECKING:  # it would load the client of Redis, which `formats preview` does without
    from imageconverter.monitoring.metrics import SandboxEvent

EventListener = Callable[["SandboxEvent"], None]

MAX_THREADS = 64  # of one process; decoders start as many as there are cores
_RESTART_PAUSE_SECONDS = 1.0  # a server that cannot start must not be started in a tight loop
_CHECK_SECONDS = 0.5
_MAX_IDLE_SECONDS = 60.0
_MAX_IDLE_CPU_SECONDS = 0.1  # of a process that waits for an image; it uses none
_MAX_IDLE_BYTES = 192 * 1024 * 1024
_SEVERAL = 2
_SPARE_DELAY_SECONDS = 0.05  # after an image: first its outputs are stored


class _Idle:
    """A process that waits for the next image of its owner."""

    def __init__(self, process: SandboxProcess, cpu_seconds: float) -> None:
        self.process = process
        self.since = time.monotonic()
        self.cpu_seconds = cpu_seconds

    def is_busy(self) -> bool:
        """Whether the process has used CPU time, although it waits."""
        return self.process.cpu_seconds() > self.cpu_seconds + _MAX_IDLE_CPU_SECONDS

    def fault(self) -> str:
        """Return what the process does that an idle one does not, or ""."""
        if self.is_busy():
            return "used CPU time while idle"
        return "too many threads" if self.process.usage().threads > MAX_THREADS else ""

    def is_needless(self) -> bool:
        """Whether the process has waited for long, or keeps much memory."""
        return time.monotonic() > self.since + _MAX_IDLE_SECONDS or self.process.usage().resident > _MAX_IDLE_BYTES


class Processes:
    """Forks sandbox processes, keeps some that are idle, and watches those.

    If there are several owners, a spare process is forked in advance for the next new one.
    """

    def __init__(
        self,
        program: Sequence[str],
        *,
        max_idle: int,
        max_images: int,
        memory_bytes: int,
        cpu_seconds: int,
        image_seconds: float,
        filtered: bool,
        on_event: EventListener = lambda _: None,
    ) -> None:
        """Prepare processes of *program*.

        A process converts *max_images*, and may use *cpu_seconds* of CPU time, of which one image takes up to
        *image_seconds*. *on_event* is called when something happens to one of them.
        """
        self._on_event = on_event
        self._program = program
        self._max_idle = max_idle
        self._max_images = max_images
        self._memory_bytes = memory_bytes
        self._cpu_seconds = cpu_seconds
        self._last_image_at = cpu_seconds - image_seconds
        self._filtered = filtered
        self._server: ForkServer | None = None
        self._has_server = asyncio.Event()
        self._alive: set[SandboxProcess] = set()
        self._idle: list[_Idle] = []  # the one that was used last is the last one
        self._owners: set[str] = set()  # the first two
        self._spare: asyncio.Task[SandboxProcess] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def alive(self) -> list[int]:
        """The ids of the processes that have an owner."""
        return [process.pid for process in self._alive if process.owner is not None]

    def start(self) -> None:
        """Begin to run."""
        for work in (self._supervise(), self._check_idle_often()):
            self._keep(asyncio.create_task(work))

    async def stop(self) -> None:
        """Kill all processes."""
        for process in self._alive:
            process.kill()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def take(self, owner: str, niceness: Niceness) -> SandboxProcess:
        """Return a process for an image of *owner*: an idle one that has seen no images of others, or a new one."""
        for idle in self._idle[::-1]:
            process = idle.process
            if process.owner == owner and process.niceness == niceness and not process.has_ended:
                if idle.is_busy() and self._end_faulty(idle):
                    continue
                self._idle.remove(idle)
                return process
        process = await self._take_spare() or await self._fork()
        process.owner = owner
        if niceness > process.niceness:
            process.stand_back(niceness)
        return process

    def give_back(self, process: SandboxProcess) -> None:
        """Keep a process that has converted its image for the next one of its owner, unless it is worn."""
        if len(self._owners) < _SEVERAL and process.owner is not None:
            self._owners.add(process.owner)
        if len(self._owners) >= _SEVERAL and self._spare is None:
            asyncio.get_running_loop().call_later(_SPARE_DELAY_SECONDS, self._fork_spare)
        cpu_seconds = process.cpu_seconds()
        if process.converted >= self._max_images or cpu_seconds > self._last_image_at:
            process.kill()
            return
        self._idle.append(_Idle(process, cpu_seconds))
        while len(self._idle) > self._max_idle:
            self._idle.pop(0).process.kill()

    async def _take_spare(self) -> SandboxProcess | None:
        spare, self._spare = self._spare, None
        process = await spare if spare is not None else None
        return None if process is None or process.has_ended else process

    def _fork_spare(self) -> None:
        if self._spare is None and self._has_server.is_set():
            self._spare = asyncio.create_task(self._fork())
            self._keep(self._spare)

    async def _fork(self) -> SandboxProcess:
        while True:
            await self._has_server.wait()
            assert self._server is not None  # noqa: S101 - for mypy: the event says so
            try:
                process = await self._server.fork()
            except ProcessUnavailable:
                await asyncio.sleep(0)  # until the end of the server is noticed
                continue
            self._alive.add(process)
            self._keep(asyncio.create_task(self._await_end(process)))
            try:
                await process.ready()
            except ProcessUnavailable:
                self._on_event("not started")
                _log.warning("sandbox process does not start", pid=process.pid, lines=process.read_stderr())
                process.kill()
                await asyncio.sleep(_RESTART_PAUSE_SECONDS)
            except BaseException:
                process.kill()
                raise
            else:
                self._on_event("started")
                return process

    async def _await_end(self, process: SandboxProcess) -> None:
        try:
            end, lines = await process.end(), process.read_stderr()
            log = _log.debug if process.is_killed else _log.info
            log("sandbox process ended", pid=process.pid, end=end, converted=process.converted, lines=lines)
        finally:
            self._alive.discard(process)
            self._idle = [idle for idle in self._idle if idle.process is not process]
            process.close()

    async def _supervise(self) -> None:
        """Keep one server running."""
        while True:
            try:
                server = await ForkServer.start(
                    self._program,
                    memory_bytes=self._memory_bytes,
                    cpu_seconds=self._cpu_seconds,
                    filtered=self._filtered,
                )
            except OSError as error:
                _log.warning("sandbox process does not start", lines=[str(error)])
                await asyncio.sleep(_RESTART_PAUSE_SECONDS)
                continue
            try:
                await server.ready()
                self._server = server
                self._has_server.set()
                await server.end()
                _log.warning("sandbox server ended", pid=server.pid, lines=server.read_stderr())
            except ProcessUnavailable:
                _log.warning("sandbox process does not start", pid=server.pid, lines=server.read_stderr())
                await asyncio.sleep(_RESTART_PAUSE_SECONDS)
            finally:
                self._has_server.clear()
                server.kill()
                await server.end()
                server.close()

    async def _check_idle_often(self) -> None:
        while True:
            await asyncio.sleep(_CHECK_SECONDS)
            for idle in list(self._idle):
                if self._end_faulty(idle) or not idle.is_needless():
                    continue
                self._idle.remove(idle)
                idle.process.kill()

    def _end_faulty(self, idle: _Idle) -> bool:
        """Kill an idle process that does what it should not; returns whether it did."""
        if fault := idle.fault():
            self._on_event("killed while idle")
            _log.warning("sandbox process killed", pid=idle.process.pid, reason=fault)
            self._idle.remove(idle)
            idle.process.kill()
        return bool(fault)

    def _keep(self, task: asyncio.Task[Any]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
