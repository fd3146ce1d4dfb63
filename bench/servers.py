"""The servers of the benchmarks, embedded as in `imageconverter up`, and the settings for them."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from unittest import mock

from imageconverter.settings import PREFIX, Settings, load_settings
from services.runtime.logs import set_up_logging
from services.stack.program import Program
from services.stack.servers import object_store, redis_server

KEY = "a-key-for-measuring"
_NO_STORE = {
    f"{PREFIX}S3_ENDPOINT": "http://127.0.0.1:9",
    f"{PREFIX}S3_ACCESS_KEY": "none",
    f"{PREFIX}S3_SECRET_KEY": "none",
}


@asynccontextmanager
async def running_servers(*, store: bool) -> AsyncIterator[dict[str, str]]:
    """Run Redis, and with *store* SeaweedFS; yields the environment for the roles."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        servers = [redis_server(folder / "redis", folder, environment, "redis-password")]
        if store:
            servers.append(
                object_store(folder / "s3", folder, environment, ("access", "secret-of-s3"), avoid=[servers[0].port])
            )
        programs = [Program(server.command) for server in servers]
        for program in programs:
            program.start()
        settings = {name: value for server in servers for name, value in server.settings.items()}
        try:
            yield {
                **environment,
                **_NO_STORE,
                **settings,
                f"{PREFIX}API_KEY": KEY,
                f"{PREFIX}DATA_DIR": str(folder),
                f"{PREFIX}LOG_LEVEL": "warning",
                "PYTHONUNBUFFERED": "1",
            }
        finally:
            await asyncio.gather(*(program.stop(grace_seconds=10) for program in programs))


@asynccontextmanager
async def running_role(arguments: Sequence[str], environment: dict[str, str]) -> AsyncIterator[int]:
    """Run ``python -m`` with *arguments* until the block ends; yields its process id."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", *arguments, env=environment)
    try:
        yield process.pid
        if process.returncode is not None:
            raise RuntimeError(f"{arguments[0]} exited with status {process.returncode}")
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), 60)


def settings_of(environment: dict[str, str]) -> Settings:
    """Return the settings of a role with this *environment*; from now on only errors are logged."""
    with mock.patch.dict(os.environ, environment, clear=True):
        settings = load_settings()
    set_up_logging(settings.process.model_copy(update={"log_level": "error"}), role="bench")
    return settings
