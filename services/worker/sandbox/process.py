"""One sandbox process, seen from the worker: start, request and response, end."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Self

from pydantic import ValidationError

from imageconverter.engine import Converted, Failed
from imageconverter.errors import ImageError
from services.worker.sandbox import ipc
from services.worker.sandbox.confinement import OUTPUT_BYTES
from services.worker.sandbox.messages import CallRefused, Made, Refused, Reply, Request, Response
from services.worker.sandbox.refusals import RefusedCalls

PROGRAM: Sequence[str] = (sys.executable, "-I", "-m", "services.worker.sandbox.program")

# Nothing of the worker's own environment, which holds secrets. A sandbox process has one core: numpy's linear algebra
# would start a thread for each that the machine has, and reserve address space for all of them.
_ENVIRONMENT = {"LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1"}
_START_SECONDS = 30
_PIPE_BYTES = 64 * 1024  # of stderr that the kernel keeps; more is lost
_LAST_CHARACTERS = 2000


class ProcessUnavailable(Exception):  # noqa: N818 - internal to the pool
    """The process had ended before it got the image."""


class ProcessCrashed(Exception):  # noqa: N818 - the same
    """The process ended during the conversion, or its response is invalid."""


class SystemCallRefused(Exception):  # noqa: N818 - named after what happened
    """The kernel refused a system call that a conversion needs: an internal error, not a fault of the image."""

    def __init__(self, frames: Sequence[str], calls: Sequence[str] = ()) -> None:
        """Keep the innermost Python *frames*; *calls* are the names of the system calls, if they are known."""
        super().__init__(f"The sandbox refused a system call: {', '.join([*calls, *frames[-1:]])}")
        self.frames = frames


class SandboxProcess:
    """One sandbox process and the channel to it."""

    def __init__(self, process: asyncio.subprocess.Process, channel: socket.socket, stderr: int) -> None:
        self._process = process
        self._channel = channel
        self._stderr = stderr
        self._refused_calls: RefusedCalls | None = None
        self.converted = 0

    @classmethod
    async def start(cls, program: Sequence[str], memory_bytes: int, *, filtered: bool) -> Self:
        """Start *program*; it takes requests as soon as it is `ready`. Raises OSError if it cannot be started."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)  # noqa: FBT003 - the socket module's own signature
        reading, writing = os.pipe()
        for end in (reading, writing):
            os.set_blocking(end, False)  # a full pipe must not block the process
        with theirs, os.fdopen(writing, "wb") as stderr:
            try:
                process = await asyncio.create_subprocess_exec(
                    *program,
                    str(theirs.fileno()),
                    str(memory_bytes),
                    "filtered" if filtered else "unfiltered",
                    pass_fds=[theirs.fileno()],
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=stderr,
                    env=_ENVIRONMENT,
                )
            except BaseException:
                ours.close()
                os.close(reading)
                raise
        return cls(process, ours, reading)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    async def ready(self) -> None:
        """Wait until the process is confined and can take requests; raises ProcessUnavailable if it never can."""
        try:
            async with asyncio.timeout(_START_SECONDS):
                await self._readable()
                message, listener = ipc.receive_ready(self._channel)
        except OSError as error:  # of which TimeoutError is one
            raise ProcessUnavailable from error
        if listener is not None:
            self._refused_calls = RefusedCalls(listener, on_flood=self.kill)
        if message != ipc.READY:
            raise ProcessUnavailable

    async def ask(self, request: Request, source: int) -> Reply:
        """Have the process convert the memory file *source*.

        Raises ImageError if the image cannot be converted, SystemCallRefused if that failed for the sandbox's fault,
        ProcessUnavailable or ProcessCrashed if the process has ended.
        """
        outputs = ipc.memory_file("outputs")
        try:
            try:
                ipc.send(self._channel, request.model_dump_json().encode(), source, outputs)
            except OSError as error:
                raise ProcessUnavailable from error
            try:
                message = await self._receive()
            except OSError as error:
                raise ProcessCrashed("no response") from error
            if not message:
                raise ProcessCrashed("no response")
            try:
                response = Response.model_validate_json(message)
            except ValidationError as error:
                raise ProcessCrashed("invalid response") from error
            try:
                ipc.seal(outputs)
            except OSError as error:
                raise ProcessCrashed("outputs that can still change") from error
            reply = _read(response, outputs, len(request.targets))
        finally:
            ipc.discard(outputs)
        self.converted += 1
        if isinstance(reply, Exception):
            raise reply
        return reply

    def take_refused_calls(self) -> Counter[str]:
        """Return the system calls that were refused since the last time, by name, if the kernel reports them."""
        return self._refused_calls.take() if self._refused_calls is not None else Counter()

    def read_stderr(self) -> list[str]:
        """Return the last lines that the process has written to stderr since the last time."""
        try:
            text = os.read(self._stderr, _PIPE_BYTES)
        except BlockingIOError:
            return []
        return text.decode(errors="replace")[-_LAST_CHARACTERS:].splitlines()

    def kill(self) -> None:
        """End the process; `end` returns then."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                # Not by asyncio, which would take up the status of one that is just dead, and then not find it.
                os.kill(self.pid, signal.SIGKILL)

    async def end(self) -> str:
        """Wait until the process has ended; returns how: by which signal, or with which status."""
        code = await self._process.wait()
        return (signal.strsignal(-code) if code < 0 else None) or str(code)

    def close(self) -> None:
        """Close the channels of a process that has ended."""
        self._channel.close()
        os.close(self._stderr)
        if self._refused_calls is not None:
            self._refused_calls.close()

    async def _receive(self) -> bytes:
        """Return the next message, empty if the process has ended; descriptors that come with it are dropped."""
        return await asyncio.get_running_loop().sock_recv(self._channel, ipc.MESSAGE_BYTES)

    async def _readable(self) -> None:
        readable, loop = asyncio.Event(), asyncio.get_running_loop()
        loop.add_reader(self._channel, readable.set)
        try:
            await readable.wait()
        finally:
            loop.remove_reader(self._channel)


def _read(response: Response, outputs: int, count: int) -> Reply | ImageError | SystemCallRefused:
    """Read the outputs from their memory file; raises ProcessCrashed if they do not fit the response."""
    if isinstance(response.outcome, Refused):
        return response.outcome.as_error()
    if isinstance(response.outcome, CallRefused):
        return SystemCallRefused(response.outcome.frames)
    announced = sum(each.bytes for each in response.outcome if isinstance(each, Made))
    if len(response.outcome) != count or announced != os.fstat(outputs).st_size or announced > OUTPUT_BYTES:
        raise ProcessCrashed("a response that does not fit its outputs")
    results: list[Converted | Failed] = []
    position = 0
    for each in response.outcome:
        if isinstance(each, Made):
            data = os.pread(outputs, each.bytes, position)
            results.append(Converted(data, each.output, each.size, each.seconds, each.warning))
            position += each.bytes
        else:
            results.append(Failed(each.reason))
    return Reply(results, response.metadata)
