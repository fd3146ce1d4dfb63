"""Processes of a stack that can be killed, paused, stopped and restarted."""

import asyncio
import contextlib
import ctypes
import os
import secrets
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from imageconverter.resources import Resources, open_resources, wait_for_bucket
from imageconverter.settings import Settings, load_settings
from services.stack.ports import free_ports
from services.stack.program import Command
from services.stack.servers import object_store, redis_server
from tests.conftest import API_KEY

_PR_SET_PDEATHSIG = 1
THIS_RELEASE = Path(sys.executable)


def die_with_parent() -> None:
    """Let the kernel kill this process when the test process ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


class Part:
    """A process that writes to the log of its command."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self._process: asyncio.subprocess.Process | None = None

    @property
    def process(self) -> asyncio.subprocess.Process:
        """The running process."""
        assert self._process is not None
        return self._process

    async def start(self) -> None:
        """Start the process."""
        assert self.command.log is not None
        with self.command.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self.command.arguments,
                env=dict(self.command.environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process, not to its subprocesses."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)

    async def kill(self) -> None:
        """Send SIGKILL, and wait for the end of the process."""
        self.send(signal.SIGKILL)
        await self.process.wait()

    async def pause(self, seconds: float) -> None:
        """Stop the process with SIGSTOP for *seconds*."""
        self.send(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        self.send(signal.SIGCONT)

    async def terminate(self) -> float:
        """Send SIGTERM; returns the seconds until the process ends, which must be with status 0."""
        began = time.monotonic()
        self.send(signal.SIGTERM)
        status = await asyncio.wait_for(self.process.wait(), 60)
        assert status == 0, f"{self.command.name} ended with {status}"
        return time.monotonic() - began

    async def end(self) -> None:
        """Kill the process if it is running, with its subprocesses."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()


class Stack:
    """The roles of a stack that use existing servers."""

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        environment: Mapping[str, str],
        of_roles: Mapping[str, Mapping[str, str]],
    ) -> None:
        self.settings = settings
        self.folder = folder
        self._environment = environment
        self._of_roles = of_roles
        self.gateways: list[Part] = []
        self.workers: list[Part] = []
        self.reporters: list[Part] = []
        self.servers: dict[str, Part] = {}
        self.addresses: list[str] = []

    def add_gateway(self, python: Path = THIS_RELEASE, /, **environment: str) -> Part:
        """Add a gateway with its own port, without starting it."""
        (port,) = free_ports(1)
        self.addresses.append(f"http://127.0.0.1:{port}")
        part = self.role("gateway", python, IMAGECONVERTER_PORT=str(port), **environment)
        self.gateways.append(part)
        return part

    def role(self, role: str, python: Path = THIS_RELEASE, /, **environment: str) -> Part:
        """Return a process of *role* with the code that *python* imports, without starting it."""
        of_role = {**self._of_roles.get(role, {}), **environment}
        return self.program([str(python), "-P", "-m", "services.cli.main", role], role, **of_role)

    def program(self, arguments: Sequence[str], name: str, **environment: str) -> Part:
        """Return a process with the servers' settings, without starting it."""
        log = self.folder / f"{name}-{secrets.token_hex(3)}.log"
        return Part(Command(name, arguments, {**self._environment, **environment}, log))

    @property
    def parts(self) -> list[Part]:
        """All processes, the servers last."""
        return [*self.gateways, *self.workers, *self.reporters, *self.servers.values()]

    async def start(self) -> None:
        """Start the roles."""
        await asyncio.gather(*(part.start() for part in (*self.gateways, *self.workers, *self.reporters)))

    @property
    def internal_errors(self) -> list[str]:
        """Log lines about internal errors."""
        lines = [line for log in self.folder.glob("*.log") for line in log.read_text(errors="replace").splitlines()]
        return [line for line in lines if "internal error" in line.lower()]


@asynccontextmanager
async def stack_on(
    servers: Mapping[str, str],
    folder: Path,
    *,
    gateways: int,
    workers: int,
    reporters: int = 0,
    of_roles: Mapping[str, Mapping[str, str]] | None = None,
    **more: str,
) -> AsyncIterator[tuple[Stack, Resources]]:
    """Run roles on *servers*, with a new bucket and an emptied database; yields also direct resources.

    All of them have *more* in their environments, and each those of its role in *of_roles*.
    """
    folder.mkdir(exist_ok=True)
    bucket = f"chaos-{secrets.token_hex(4)}"
    given = {
        **servers,
        "IMAGECONVERTER_S3_BUCKET": bucket,
        "IMAGECONVERTER_API_KEY": API_KEY,
        "IMAGECONVERTER_WORKER_CHILDREN": "1",
        "IMAGECONVERTER_START_SECONDS": "0",
        "IMAGECONVERTER_LOG_FORMAT": "json",
        "IMAGECONVERTER_DATA_DIR": str(folder),
    }
    settings = load_settings(given)
    stack = Stack(settings, folder, {**os.environ, **given, **more}, of_roles or {})
    for _ in range(gateways):
        stack.add_gateway()
    stack.workers = [stack.role("worker") for _ in range(workers)]
    stack.reporters = [stack.role("reporter") for _ in range(reporters)]
    async with open_resources(settings, retry_timeout=30) as resources:
        await wait_for_bucket(resources.store)
        await resources.redis.flushdb()
        try:
            await stack.start()
            yield stack, resources
        finally:
            await asyncio.gather(*(part.end() for part in stack.parts))


@asynccontextmanager
async def own_servers(
    folder: Path, *, inside: Sequence[str] = (), **of_redis: str
) -> AsyncIterator[tuple[dict[str, str], dict[str, Part]]]:
    """Run a Redis and an S3 server that may be killed; the first value is the environment of their clients.

    Redis has *of_redis* in its environment. Both command lines begin with *inside*.
    """
    folder.mkdir(exist_ok=True)
    redis = redis_server(folder / "redis", folder, {**os.environ, **of_redis}, "redis-password")
    store = object_store(folder / "s3", folder, dict(os.environ), ("access", "secret-of-s3"), avoid=[redis.port])
    parts = {
        name: Part(replace(server.command, arguments=[*inside, *server.command.arguments]))
        for name, server in (("redis", redis), ("s3", store))
    }
    try:
        await asyncio.gather(*(part.start() for part in parts.values()))
        yield {**redis.settings, **store.settings}, parts
    finally:
        await asyncio.gather(*(part.end() for part in parts.values()))
