"""One child process, seen from the worker: started, asked, listened to, killed."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Sequence
from typing import Self

from pydantic import ValidationError

from imageconverter.engine import Converted, Failed
from imageconverter.errors import ImageError
from services.worker.sandbox import ipc
from services.worker.sandbox.confinement import OUTPUT_BYTES
from services.worker.sandbox.messages import Made, Refused, Reply, Request, Response

PROGRAM: Sequence[str] = (sys.executable, "-I", "-m", "services.worker.sandbox.program")

# Nothing of the worker's own environment, for that holds secrets. A child has one core: numpy's linear algebra
# would start a thread for each that the machine has, and reserve address space for all of them.
_ENVIRONMENT = {"LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1"}
_START_SECONDS = 30
_PIPE_BYTES = 64 * 1024  # that the kernel keeps of what a child writes; more is lost
_LAST_CHARACTERS = 2000


class ProcessUnavailable(Exception):  # noqa: N818 - the pool's own signal, never shown
    """The child was dead before it got the image."""


class ProcessCrashed(Exception):  # noqa: N818 - the same
    """The child died with the image in its hands, or gave no answer that makes sense."""


class SandboxProcess:
    """One child process and the channel to it."""

    def __init__(self, process: asyncio.subprocess.Process, channel: socket.socket, stderr: int) -> None:
        self._process = process
        self._channel = channel
        self._stderr = stderr
        self.converted = 0

    @classmethod
    async def start(cls, program: Sequence[str], memory_bytes: int, *, filtered: bool) -> Self:
        """Start *program* as a child; it can be asked as soon as it is `ready`. Raises OSError where that fails."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)  # noqa: FBT003 - the socket module's own signature
        reading, writing = os.pipe()
        for end in (reading, writing):
            os.set_blocking(end, False)  # nobody waits for what a child has to say
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
        """Wait until the child has imported what it needs and is confined; raises Absent where it never is."""
        try:
            async with asyncio.timeout(_START_SECONDS):
                if await self._receive() != ipc.READY:
                    raise ProcessUnavailable
        except OSError as error:  # of which TimeoutError is one
            raise ProcessUnavailable from error

    async def ask(self, request: Request, source: int) -> Reply:
        """Have the child convert the memory file *source*.

        Raises ImageError where the image cannot be converted, Absent or Crashed where the child is of no use.
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
                raise ProcessCrashed("no answer") from error
            if not message:
                raise ProcessCrashed("no answer")
            try:
                response = Response.model_validate_json(message)
            except ValidationError as error:
                raise ProcessCrashed("no answer that makes sense") from error
            reply = _read(response, outputs, len(request.targets))
        finally:
            os.close(outputs)
        self.converted += 1
        if isinstance(reply, ImageError):
            raise reply
        return reply

    def read_stderr(self) -> list[str]:
        """Return the last lines that the child wrote to stderr since it was asked for them."""
        try:
            text = os.read(self._stderr, _PIPE_BYTES)
        except BlockingIOError:
            return []
        return text.decode(errors="replace")[-_LAST_CHARACTERS:].splitlines()

    def kill(self) -> None:
        """End the process; whoever waits for its end is told."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                # Not by asyncio, which would take up the status of one that is just dead, and then not find it.
                os.kill(self.pid, signal.SIGKILL)

    async def end(self) -> str:
        """Wait until the process has ended; returns how: by which signal, or with which status."""
        code = await self._process.wait()
        return (signal.strsignal(-code) if code < 0 else None) or str(code)

    def close(self) -> None:
        """Let go of a process that has ended."""
        self._channel.close()
        os.close(self._stderr)

    async def _receive(self) -> bytes:
        """Return the next message of the child, empty where it is gone; descriptors with it go to nobody."""
        return await asyncio.get_running_loop().sock_recv(self._channel, ipc.MESSAGE_BYTES)


def _read(response: Response, outputs: int, count: int) -> Reply | ImageError:
    """Take the outputs out of their memory file; raises Crashed where they are not what the answer says."""
    if isinstance(response.outcome, Refused):
        return response.outcome.as_error()
    told = sum(each.bytes for each in response.outcome if isinstance(each, Made))
    if len(response.outcome) != count or told != os.fstat(outputs).st_size or told > OUTPUT_BYTES:
        raise ProcessCrashed("an answer that does not fit its outputs")
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
