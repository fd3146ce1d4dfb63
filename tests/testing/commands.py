"""Runs commands as a user does, against the gateway of the fixture."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.conftest import API_KEY
from tests.testing.runs import Client

THUMBNAIL, PRODUCT = "content.imageFormat.thumbnailProduct", "content.imageFormat.normalProduct"

_NO_CACHE = "/dev/null/cache"  # a folder that cannot be made: nothing outside of a test's own folder is written

Process = asyncio.subprocess.Process


class Finished(NamedTuple):
    """The exit status and the output of a command."""

    status: int
    out: str
    err: str


def address(client: Client) -> str:
    """Return the URL of the fixture's gateway."""
    return str(client.make_url("")).rstrip("/")


async def begin(*arguments: str | Path, key: str | None = API_KEY, **more: str) -> Process:
    """Start a command with the variables *more* in its environment."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "IMAGECONVERTER_CACHE_DIR": _NO_CACHE, **more}
    if key is not None:
        environment["IMAGECONVERTER_API_KEY"] = key
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "services.cli.main", *map(str, arguments)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
        # A background process ignores SIGINT, and its subprocesses inherit that by default.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


async def ended(process: Process) -> Finished:
    """Wait until a command has ended; it must not print a traceback."""
    out, err = await process.communicate()
    assert process.returncode is not None
    assert b"Traceback" not in err, err.decode()
    return Finished(process.returncode, out.decode(), err.decode())


async def run(*arguments: str | Path, key: str | None = API_KEY, **more: str) -> Finished:
    """Run a command until it has ended."""
    return await ended(await begin(*arguments, key=key, **more))


def fill(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write *files* below *folder* and return it."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder
