"""One sandbox process, seen from the worker: start, request and response, end."""

import asyncio
import contextlib
import os
import signal
import socket
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate

from pydantic import ValidationError

from imageconverter.engine import Converted, Failed
from imageconverter.engine.output_types import Variant
from imageconverter.errors import ImageError
from services.worker.sandbox import ipc
from services.worker.sandbox.confinement import OUTPUT_BYTES
from services.worker.sandbox.messages import CallRefused, Made, Refused, Reply, Request, Response
from services.worker.sandbox.niceness import Niceness
from services.worker.sandbox.refusals import RefusedCalls
from services.worker.sandbox.stderr import Stderr
from services.worker.sandbox.usage import Usage, cpu_seconds, lower_priority, usage

_START_SECONDS = 30


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

    def __init__(self, pid: int, ended: asyncio.Future[int], channel: socket.socket, stderr: Stderr) -> None:
        self.pid = pid
        self.owner: str | None = None
        """Of all images that it has seen; None before the first one."""
        self.niceness = Niceness.INTERACTIVE
        self.converted = 0
        self.has_responded = True
        """Whether it has answered its last request, so that it can take the next one."""
        self.is_killed = False
        """Whether the worker has ended it."""
        self._ended = ended
        self._channel = channel
        self._stderr = stderr
        self._refused_calls: RefusedCalls | None = None

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

    async def ask(self, request: Request, source: int, watermarks: int | None = None) -> Reply:
        """Have the process convert the memory file *source*, with the memory file *watermarks* if there are any.

        Raises ImageError if the image cannot be converted, SystemCallRefused if that failed for the sandbox's fault,
        ProcessUnavailable or ProcessCrashed if the process has ended.
        """
        outputs = ipc.memory_file("outputs")
        self.has_responded = False
        try:
            try:
                ipc.send(self._channel, request.model_dump_json().encode(), source, outputs, watermarks)
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
                ipc.seal_size(outputs)
            except OSError as error:
                raise ProcessCrashed("outputs that can still grow") from error
            reply = _read(response, outputs, len(request.targets))
        finally:
            ipc.discard(outputs)
        self.converted += 1
        self.has_responded = True
        if isinstance(reply, Exception):
            raise reply
        return reply

    def take_refused_calls(self) -> Counter[str]:
        """Return the system calls that were refused since the last time, by name, if the kernel reports them."""
        return self._refused_calls.take() if self._refused_calls is not None else Counter()

    def usage(self) -> Usage:
        """Return what the process has used so far."""
        return usage(self.pid)

    def cpu_seconds(self) -> float:
        """Return the CPU time that the process has used so far."""
        return cpu_seconds(self.pid)

    def stand_back(self, niceness: Niceness) -> None:
        """Let processes of less niceness run first, from now on; there is no return to less."""
        self.niceness = niceness
        lower_priority(self.pid, niceness)

    def read_stderr(self) -> list[str]:
        """Return the last lines that the process has written to stderr since the last time."""
        return self._stderr.read()

    @property
    def has_ended(self) -> bool:
        """Whether the process has ended."""
        return self._ended.done()

    def kill(self) -> None:
        """End the process; `end` returns then."""
        self.is_killed = True
        if not self._ended.done():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    async def end(self) -> str:
        """Wait until the process has ended; returns how: by which signal, or with which status."""
        code = await asyncio.shield(self._ended)
        return (signal.strsignal(-code) if code < 0 else None) or str(code)

    def close(self) -> None:
        """Close the channels of a process that has ended."""
        self._channel.close()
        self._stderr.close()
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
    announced = sum(sum(each.sizes) for each in response.outcome if isinstance(each, Made))
    if len(response.outcome) != count or announced != os.fstat(outputs).st_size or announced > OUTPUT_BYTES:
        raise ProcessCrashed("a response that does not fit its outputs")
    results: list[Converted | Failed] = []
    position = 0
    for each in response.outcome:
        if isinstance(each, Made):
            data, *others = _parts(outputs, each.sizes, position)
            variants = tuple(
                Variant(variant.output, part) for variant, part in zip(each.variants, others, strict=True)
            )
            results.append(Converted(data, each.output, each.size, each.seconds, each.warning, variants))
            position += sum(each.sizes)
        else:
            results.append(Failed(each.reason))
    return Reply(results, response.metadata, response.facts)


def _parts(file: int, sizes: Sequence[int], position: int) -> list[bytes]:
    """Return the parts of these *sizes* that follow each other in *file* from *position* on."""
    ends = list(accumulate(sizes, initial=position))
    return [os.pread(file, size, begin) for size, begin in zip(sizes, ends, strict=False)]
