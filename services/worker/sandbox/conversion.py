"""The conversion of one image by one process, which is watched meanwhile."""

import asyncio
import time
from collections.abc import Callable

from imageconverter.errors import LimitExceeded
from services.worker.sandbox.messages import Reply, Request
from services.worker.sandbox.niceness import Niceness
from services.worker.sandbox.process import ProcessCrashed, SandboxProcess
from services.worker.sandbox.processes import MAX_THREADS

EXPENSIVE_SECONDS = 0.25
"""CPU time after which an image is expensive."""
_CHECK_SECONDS = 0.05
_MAX_DELAY = 10  # times its limit of time that an image may take if the processors work for others


class TurnedExpensive(Exception):  # noqa: N818 - internal to the pool
    """The image takes long, and other expensive ones are being converted."""


class Conversion:
    """One image and the process that converts it."""

    def __init__(self, process: SandboxProcess, seconds: float) -> None:
        """Give the image *seconds*: of CPU time, and of time except that in which the processors work for others."""
        self._process = process
        self._max_seconds = seconds
        self._began = time.monotonic()
        self._cpu_before = process.cpu_seconds()
        self._delay_before: float | None = None
        self.seconds = 0.0
        """The time that it has taken so far."""
        self.is_expensive = False

    async def run(
        self, request: Request, source: int, watermarks: int | None, become_expensive: Callable[[], bool]
    ) -> Reply:
        """Have the image converted.

        As soon as it turns out to be expensive, *become_expensive* is called; if it returns False, `TurnedExpensive`
        is raised. Raises LimitExceeded if it takes too long, ProcessCrashed if the process has too many threads, and
        what `SandboxProcess.ask` raises.
        """
        asking = asyncio.ensure_future(self._process.ask(request, source, watermarks))
        try:
            while not (await asyncio.wait([asking], timeout=_CHECK_SECONDS))[0]:
                self._check(become_expensive)
            self.is_expensive = self._process.cpu_seconds() - self._cpu_before > EXPENSIVE_SECONDS
            return await asking
        finally:
            asking.cancel()

    def _check(self, become_expensive: Callable[[], bool]) -> None:
        used = self._process.usage()
        if self._delay_before is None:
            self._delay_before = used.delay
        cpu, elapsed = used.cpu - self._cpu_before, time.monotonic() - self._began
        self.seconds = elapsed - (used.delay - self._delay_before)
        if max(cpu, self.seconds, elapsed / _MAX_DELAY) > self._max_seconds:
            self.is_expensive = True
            raise LimitExceeded("Converting the image took longer than is allowed.")
        if used.threads > MAX_THREADS:
            raise ProcessCrashed("too many threads")
        if cpu > EXPENSIVE_SECONDS and not self.is_expensive:
            self.is_expensive = True
            if self._process.niceness < Niceness.EXPENSIVE:
                if not become_expensive():
                    raise TurnedExpensive
                self._process.stand_back(Niceness.EXPENSIVE)
