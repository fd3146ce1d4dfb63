"""One supervised program: started, restarted when it crashes, stopped with everything that it started."""

import asyncio
import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 10.0
_STEADY_SECONDS = 10.0  # after so long a run, a crash counts as the first one again


@dataclass(frozen=True)
class Command:
    """What to run."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    log: Path | None = None
    """Where its output goes; None: to ours."""


class Program:
    """Keeps one command running until it is stopped."""

    def __init__(self, command: Command) -> None:
        """Prepare; nothing runs yet."""
        self.command = command
        self.exits: list[int] = []
        """Status of each run that ended by itself, negative for a signal."""
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the command and keep it running."""
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self, *, grace_seconds: float) -> None:
        """Send SIGTERM, after *grace_seconds* seconds SIGKILL, to the program and all that it started."""
        if self._keeper is None:
            return
        self._keeper.cancel()
        await asyncio.gather(self._keeper, return_exceptions=True)
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), grace_seconds)
        except TimeoutError:
            print(f"{self.command.name} does not stop; killed")
        self._kill_group(self._process.pid)
        await self._process.wait()

    async def _keep(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            began = time.monotonic()
            self._process = await self._spawn()
            status = await self._process.wait()
            self._kill_group(self._process.pid)
            self.exits.append(status)
            pause = _FIRST_PAUSE if time.monotonic() - began > _STEADY_SECONDS else min(pause * 2, _LONGEST_PAUSE)
            how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
            print(f"{self.command.name} {how}; starting it again in {pause:.1f} s", flush=True)
            await asyncio.sleep(pause)

    async def _spawn(self) -> asyncio.subprocess.Process:
        log = None if self.command.log is None else self.command.log.open("ab")
        try:
            return await asyncio.create_subprocess_exec(
                *self.command.arguments,
                env=dict(self.command.environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the supervisor, which stops them in order
                preexec_fn=_die_with_parent,
            )
        finally:
            if log is not None:
                log.close()

    @staticmethod
    def _kill_group(pid: int) -> None:
        """Kill what is left of the session that a program of ours led."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def _die_with_parent() -> None:
    """Have the kernel kill this process when the supervisor is gone, even by kill -9."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
