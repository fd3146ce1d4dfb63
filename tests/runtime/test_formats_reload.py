"""Changing the formats file while the roles run."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from imageconverter.images.current_formats import CurrentFormats
from imageconverter.images.formats_file import load_formats
from imageconverter.resources import Resources, open_resources
from imageconverter.settings import ConversionSettings, GatewaySettings, RedisSettings, Settings
from services.gateway.main import run as run_gateway
from services.reporter.main import run as run_reporter
from services.runtime.formats_reload import reloading
from services.runtime.roles import ROLES, local_gateway_url
from services.stack.ports import free_ports
from services.worker.main import run as run_worker
from tests.conftest import API_KEY, MakeSettings
from tests.images.test_formats_file import FORMAT, OTHER


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A formats file with one format."""
    path = tmp_path / "formats.toml"
    path.write_text(FORMAT)
    return path


@pytest.fixture
async def roles(make_settings: MakeSettings, servers: dict[str, str], file: Path) -> AsyncIterator[Settings]:
    """The settings with which all roles run."""
    (port,) = free_ports(1)
    settings = make_settings(
        gateway=GatewaySettings(api_key=API_KEY, port=port),
        conversion=ConversionSettings(formats_file=file),
        redis=RedisSettings(url=servers["IMAGECONVERTER_REDIS_URL"].removesuffix("/0") + "/5"),
    )
    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for run in (run_gateway, run_worker, run_reporter):
            group.create_task(run(settings, stopping))
        try:
            yield settings
        finally:
            stopping.set()


@pytest.fixture
async def opened(roles: Settings) -> AsyncIterator[Resources]:
    """Resources of the roles' servers."""
    async with open_resources(roles, retry_timeout=20) as resources:
        yield resources


@pytest.mark.slow
async def test_a_change_reaches_every_role_without_a_restart(roles: Settings, opened: Resources, file: Path) -> None:
    """A broken file changes nothing, and readiness says so until it is correct again."""

    async def digests() -> set[str]:
        found = [await opened.queue.live_processes(role) for role in ROLES]
        return {digest for each in found for digest in each.values() or [""]}

    async def are_in_effect() -> bool:
        return await digests() == {load_formats(file).digest()}

    async with aiohttp.ClientSession(base_url=local_gateway_url(roles.gateway)) as client:

        async def problems() -> list[str]:
            async with client.get("/health/ready") as response:
                body: dict[str, Any] = await response.json()
            return [each for each in body.get("problems", []) if "formats" in each]

        await until(are_in_effect)
        before = await digests()
        file.write_text(FORMAT + OTHER)
        await until(are_in_effect)
        assert await digests() != before
        assert await problems() == []

        before = await digests()
        file.write_text(FORMAT + 'output = "jpegxl"\n')

        async def is_reported() -> bool:
            return any("line 8: output" in each for each in await problems())

        await until(is_reported)
        assert await digests() == before

        file.write_text(FORMAT)
        await until(are_in_effect)
        assert await problems() == []


async def test_a_hangup_reads_the_file_at_once(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without waiting for the next look."""
    monkeypatch.setattr("services.runtime.formats_reload._POLL_SECONDS", 3600)
    formats = CurrentFormats(file)
    async with reloading(formats):
        file.write_text(FORMAT + OTHER)
        os.kill(os.getpid(), signal.SIGHUP)

        async def is_in_effect() -> bool:
            return len(formats.current) == 2

        await until(is_in_effect)


async def test_a_broken_file_is_logged_once(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With file, line and field."""
    monkeypatch.setattr("services.runtime.formats_reload._POLL_SECONDS", 0.01)
    formats = CurrentFormats(file)
    with capture_logs() as logs:
        async with reloading(formats):
            file.write_text(FORMAT.replace("maxWidth = 100", "maxWidth = 0"))
            await asyncio.sleep(0.3)

    errors = [each for each in logs if each["log_level"] == "error"]
    assert [(each["file"], each["problems"]) for each in errors] == [
        (str(file), ["line 6: maxWidth: 0 is not allowed; it must be a whole number from 1 to 16384"])
    ]


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until *condition* holds."""
    async with asyncio.timeout(20):
        while not await condition():
            await asyncio.sleep(0.05)
