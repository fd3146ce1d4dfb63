"""The supervisor of the local stack: starts all programs, waits until they are ready, stops them in order."""

import asyncio
import fcntl
import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import aiohttp

from imageconverter.images.current_formats import CurrentFormats
from imageconverter.settings import Settings, SettingsError, child_environment
from services.gateway.auth.api_keys import read_keys
from services.runtime.lifecycle import raise_file_limit
from services.runtime.roles import ROLES, local_gateway_url
from services.stack import credentials, running
from services.stack.formats_file import formats_file, subshops_file
from services.stack.ports import require_free
from services.stack.program import Command, Program
from services.stack.servers import Server, object_store, redis_server
from services.stack.welcome import welcome

_STOP_SECONDS = {"gateway": 35.0, "worker": 30.0, "reporter": 10.0}
_SERVER_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.05
_HINT_AFTER_SECONDS = 30.0
_MAX_EXITS = 3
_INVALID_SETTINGS = 2  # the exit status of a role with invalid settings, which it has printed


def up(settings: Settings) -> int:
    """Run everything until SIGINT or SIGTERM; returns the exit status."""
    raise_file_limit()
    folder = settings.process.data_dir
    with ExitStack() as stack:
        _lock(folder, stack)
        require_free(settings.gateway.host, settings.gateway.port)
        return asyncio.run(_run(settings, folder))


def _lock(folder: Path, stack: ExitStack) -> None:
    """Create the data folder and lock it against other stacks. Raises SettingsError if that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / "logs").mkdir(exist_ok=True)
        lock = stack.enter_context((folder / "lock").open("a+"))
    except OSError as error:
        raise SettingsError(f"IMAGECONVERTER_DATA_DIR: {folder} cannot be used: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise SettingsError(f"IMAGECONVERTER_DATA_DIR: {folder} is in use by another stack") from None


async def _run(settings: Settings, folder: Path) -> int:
    began = time.monotonic()
    stored = credentials.load_or_generate(folder)
    overrides = _overrides(settings, stored)
    servers = _servers(settings, folder, stored)
    for server in servers:
        overrides |= server.settings
    if settings.process.log_format == "auto":  # the roles write to a pipe
        overrides["IMAGECONVERTER_LOG_FORMAT"] = "console" if sys.stderr.isatty() else "json"
    roles = [Program(_command(role, overrides, folder / "logs")) for role in ROLES]
    embedded = [Program(server.command) for server in servers]
    stopping = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(each, stopping.set)
    try:
        running.remember(folder, {name: value for server in servers for name, value in server.settings.items()})
        for program in (*embedded, *roles):
            program.start()
        reason = await _until_ready(settings, (*embedded, *roles), stopping)
        if reason:
            print(f"imageconverter: {reason}", file=sys.stderr)
            return 1
        if not stopping.is_set():
            seconds, secrets = time.monotonic() - began, stored if sys.stdout.isatty() else None
            print(welcome(settings, folder, servers, secrets, seconds=seconds), flush=True)
            await stopping.wait()
        print("stopping …", flush=True)
        return 0
    finally:
        for group in (roles[:1], roles[1:]):
            await asyncio.gather(*(p.stop(grace_seconds=_STOP_SECONDS[p.command.name]) for p in group))
        await asyncio.gather(*(p.stop(grace_seconds=_SERVER_STOP_SECONDS) for p in embedded))
        running.forget(folder)


def _command(role: str, overrides: Mapping[str, str], logs: Path) -> Command:
    """Return the command of *role*, which has in its environment only those secrets that it needs."""
    without = {
        *(credentials.OF_CLIENTS if role != "gateway" else ()),
        *(credentials.OF_WEBHOOKS if role != "reporter" else ()),
    }
    environment = child_environment(overrides, without=without)
    arguments = [sys.executable, "-m", "services.cli.main", role]
    return Command(role, arguments, environment, logs / f"{role}.log", shown=True)


def _overrides(settings: Settings, stored: Mapping[str, str]) -> dict[str, str]:
    """Return the settings that the roles need in addition to the environment.

    Raises SettingsError or FormatsFileError if a file that they name is invalid.
    """
    overrides = {}
    if settings.gateway.api_key is None:
        overrides[credentials.API_KEY] = stored[credentials.API_KEY]
    if settings.gateway.admin_password is None:
        overrides[credentials.ADMIN_PASSWORD] = stored[credentials.ADMIN_PASSWORD]
    if settings.gateway.token_secret is None:
        overrides[credentials.TOKEN_SECRET] = stored[credentials.TOKEN_SECRET]
    formats, subshops = formats_file(settings), subshops_file(settings)
    CurrentFormats(formats, subshops)  # so that an error in them is printed once, not by every role
    if formats is not None:
        overrides["IMAGECONVERTER_FORMATS_FILE"] = str(formats)
    if subshops is not None:
        overrides["IMAGECONVERTER_SUBSHOPS_FILE"] = str(subshops)
    if settings.gateway.api_keys_file is not None:
        read_keys(settings.gateway.api_keys_file)
    return overrides


def _servers(settings: Settings, folder: Path, stored: Mapping[str, str]) -> list[Server]:
    """Return the servers to embed: those whose address is not set."""
    servers: list[Server] = []
    environment, logs, used_ports = (
        child_environment({}, without={*credentials.OF_CLIENTS, *credentials.OF_WEBHOOKS}),
        folder / "logs",
        {settings.gateway.port},
    )
    if settings.redis.url is None:
        password = stored[credentials.REDIS_PASSWORD]
        servers.append(redis_server(folder / "redis", logs, environment, password, avoid=used_ports))
        used_ports |= {servers[0].port}
    if settings.storage.endpoint is None:
        keys = (stored[credentials.S3_ACCESS_KEY], stored[credentials.S3_SECRET_KEY])
        servers.append(object_store(folder / "s3", logs, environment, keys, avoid=used_ports))
    return servers


async def _until_ready(settings: Settings, programs: tuple[Program, ...], stopping: asyncio.Event) -> str:
    """Wait until the stack is ready or *stopping* is set; returns the reason if it cannot start, else ""."""
    began, hinted = time.monotonic(), False
    address = f"{local_gateway_url(settings.gateway)}/health/ready"
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
        while not stopping.is_set():
            try:
                async with session.get(address) as response:
                    if response.status == 200:  # noqa: PLR2004
                        return ""
                    state = await response.text()
            except (aiohttp.ClientError, TimeoutError):
                state = "the gateway does not respond yet"
            for program in programs:
                if _INVALID_SETTINGS in program.exits or len(program.exits) >= _MAX_EXITS:
                    return f"{program.command.name} does not start{_last_log_line(program)}"
            if not hinted and time.monotonic() - began > _HINT_AFTER_SECONDS:
                print(f"still waiting: {state}; the logs of the servers are in {settings.process.data_dir / 'logs'}")
                hinted = True
            await asyncio.sleep(_POLL_SECONDS)
    return ""


def _last_log_line(program: Program) -> str:
    """Return the last line of the program's log as a suffix for a message, "" if it has no log."""
    log = program.command.log
    if log is None:
        return ""
    with log.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
        lines = file.read().decode(errors="replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f": {last} (see {log})"
