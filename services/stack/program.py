"""A supervised program: restarted after a crash, stopped together with all processes that it has started."""

import asyncio
import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from services.stack.program_log import copy_output

_PR_SET_PDEATHSIG = 1
_MIN_DELAY, _MAX_DELAY = 0.2, 10.0  # seconds before a restart
_STABLE_SECONDS = 10.0  # a crash after this time resets the delay


@dataclass(frozen=True)
class Command:
    """A command line and its environment."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    log: Path | None = None
    """The file that its output is appended to; None: the output of this process."""
    shown: bool = False
    """Whether what is appended to the log is also written to stderr of this process."""


class Program:
    """Keeps one command running until it is stopped."""

    def __init__(self, command: Command) -> None:
        """Prepare; the command is not started yet."""
        self.command = command
        self.exits: list[int] = []
        """The exit status of each run that was not stopped, negative for a signal."""
        self._process: asyncio.subprocess.Process | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._copying: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the command and keep it running."""
        self._supervisor = asyncio.create_task(self._supervise())

    async def stop(self, *, grace_seconds: float) -> None:
        """Send SIGTERM to the program, and after *grace_seconds* SIGKILL to it and all that it has started."""
        if self._supervisor is None:
            return
        self._supervisor.cancel()
        await asyncio.gather(self._supervisor, return_exceptions=True)
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), grace_seconds)
        except TimeoutError:
            print(f"{self.command.name} did not stop in time and was killed")
        self._kill_group(self._process.pid)
        await self._process.wait()
        if self._copying is not None:
            await self._copying

    async def _supervise(self) -> None:
        delay = _MIN_DELAY
        while True:
            began = time.monotonic()
            self._process = await self._spawn()
            status = await self._process.wait()
            self._kill_group(self._process.pid)
            self.exits.append(status)
            delay = _MIN_DELAY if time.monotonic() - began > _STABLE_SECONDS else min(delay * 2, _MAX_DELAY)
            event = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"exited with status {status}"
            print(f"{self.command.name} {event}; restarting in {delay:.1f} s", flush=True)
            await asyncio.sleep(delay)

    async def _spawn(self) -> asyncio.subprocess.Process:
        if self.command.log is None:
            return await self._execute(None, None)
        if self.command.shown:
            process = await self._execute(asyncio.subprocess.PIPE, asyncio.subprocess.STDOUT)
            if process.stdout is not None:
                self._copying = asyncio.create_task(copy_output(process.stdout, self.command.log))
            return process
        with self.command.log.open("ab") as log:
            return await self._execute(log, log)

    async def _execute(
        self, stdout: IO[bytes] | int | None, stderr: IO[bytes] | int | None
    ) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *self.command.arguments,
            env=dict(self.command.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,  # only the supervisor gets Ctrl-C, and stops the programs in order
            preexec_fn=_die_with_parent,
        )

    @staticmethod
    def _kill_group(pid: int) -> None:
        """Kill the remaining processes of the session of a program."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def _die_with_parent() -> None:
    """Make the kernel kill this process when the supervisor ends, even by SIGKILL."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
