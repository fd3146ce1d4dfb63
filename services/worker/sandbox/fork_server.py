"""The fork server, seen from the worker: the program that all sandbox processes are forked from.

It has imported everything that a conversion needs, so a new process is ready within milliseconds. It gets no image.
"""

import asyncio
import contextlib
import errno
import os
import signal
import socket
import sys
from collections import deque
from collections.abc import Sequence
from typing import Self

from services.worker.sandbox import ipc
from services.worker.sandbox.forking import FORK, MESSAGE_BYTES
from services.worker.sandbox.process import ProcessUnavailable, SandboxProcess
from services.worker.sandbox.stderr import Stderr

PROGRAM: Sequence[str] = (sys.executable, "-I", "-m", "services.worker.sandbox.program")

# Nothing of the worker's own environment, which holds secrets. A sandbox process has one core: numpy's linear algebra
# would start a thread for each that the machine has, and reserve address space for all of them. Huge pages in
# large steps save most of the page faults of a new process. Knowing the number of arenas, the C library does not
# count the processors, for which it would open a file that the filter refuses.
_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "OPENBLAS_NUM_THREADS": "1",
    "GLIBC_TUNABLES": ":".join(
        f"glibc.malloc.{name}={value}"
        for name, value in {
            "hugetlb": 1,
            "top_pad": 64 << 20,
            "mmap_threshold": 32 << 20,
            "trim_threshold": 64 << 20,
            "arena_max": 4,
        }.items()
    ),
}
_START_SECONDS = 30
_KILLED = -signal.SIGKILL


class ForkServer:
    """The server process and the channel to it."""

    def __init__(self, process: asyncio.subprocess.Process, control: socket.socket, stderr: Stderr) -> None:
        self._process = process
        self._control = control
        self._stderr = stderr
        self._forks: deque[asyncio.Future[int]] = deque()
        self._ends: dict[int, asyncio.Future[int]] = {}

    @classmethod
    async def start(cls, program: Sequence[str], *, memory_bytes: int, cpu_seconds: int, filtered: bool) -> Self:
        """Start *program*; it forks as soon as it is `ready`. Raises OSError if it cannot be started."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)  # noqa: FBT003 - the socket module's own signature
        stderr, writing = Stderr.pipe()
        with theirs, os.fdopen(writing, "wb") as pipe:
            try:
                process = await asyncio.create_subprocess_exec(
                    *program,
                    str(theirs.fileno()),
                    str(memory_bytes),
                    str(cpu_seconds),
                    "filtered" if filtered else "unfiltered",
                    pass_fds=[theirs.fileno()],
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=pipe,
                    env=_ENVIRONMENT,
                )
            except BaseException:
                ours.close()
                stderr.close()
                raise
        return cls(process, ours, stderr)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    async def ready(self) -> None:
        """Wait until the server can fork; raises ProcessUnavailable if it never can."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_START_SECONDS):
                message = await loop.sock_recv(self._control, MESSAGE_BYTES)
        except OSError as error:  # of which TimeoutError is one
            raise ProcessUnavailable from error
        if message != ipc.READY:
            raise ProcessUnavailable
        loop.add_reader(self._control, self._receive)

    async def fork(self) -> SandboxProcess:
        """Fork a process, which is not ready yet; raises ProcessUnavailable."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)  # noqa: FBT003 - the socket module's own signature
        stderr, writing = Stderr.pipe()
        try:
            with theirs, os.fdopen(writing, "wb"):
                socket.send_fds(self._control, [FORK], [theirs.fileno(), writing])
            started = asyncio.get_running_loop().create_future()
            self._forks.append(started)
            pid = await started
        except BaseException as error:  # a process that was forked all the same ends with its channel
            ours.close()
            stderr.close()
            if isinstance(error, OSError):
                raise ProcessUnavailable from error
            raise
        return SandboxProcess(pid, self._ends[pid], ours, stderr)

    def read_stderr(self) -> list[str]:
        """Return the last lines that the server has written to stderr since the last time."""
        return self._stderr.read()

    def kill(self) -> None:
        """End the server, and with it all processes that it has forked."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                # Not by asyncio, which would take up the status of one that is just dead, and then not find it.
                os.kill(self.pid, signal.SIGKILL)

    async def end(self) -> None:
        """Wait until the server has ended."""
        await self._process.wait()

    def close(self) -> None:
        """Close the channel to a server that has ended."""
        self._lose()
        self._control.close()
        self._stderr.close()

    def _receive(self) -> None:
        try:
            message = self._control.recv(MESSAGE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            message = b""
        if not message:
            self._lose()
            return
        kind, *numbers = message.decode().split()
        number = int(numbers[0])
        if kind == "ended":
            self._ends.pop(number).set_result(int(numbers[1]))
            with contextlib.suppress(OSError):  # the server has ended too
                self._control.send(f"reap {number}".encode())
            return
        started = self._forks.popleft()
        if kind == "started":
            self._ends[number] = asyncio.get_running_loop().create_future()
        if started.cancelled():
            return
        if kind == "started":
            started.set_result(number)
        else:
            started.set_exception(OSError(number, os.strerror(number)))

    def _lose(self) -> None:
        """Give up the server; the kernel ends its processes."""
        asyncio.get_running_loop().remove_reader(self._control)
        for started in self._forks:
            if not started.cancelled():
                started.set_exception(OSError(errno.ESRCH, "the fork server has ended"))
        self._forks.clear()
        for ended in self._ends.values():
            ended.set_result(_KILLED)
        self._ends.clear()
