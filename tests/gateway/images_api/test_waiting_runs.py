"""`images/convert/…` without a worker: responses before anything is converted."""

import asyncio
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from imageconverter.resources import Resources
from imageconverter.settings import GatewaySettings
from services.gateway.app import create_app
from services.gateway.auth.api_keys import key_entry
from tests.conftest import MakeSettings
from tests.testing import image_files
from tests.testing.runs import THUMBNAIL, Client, get, post, put_sources, start

pytestmark = pytest.mark.usefixtures("no_run")


async def test_without_a_list_all_formats_are_used(gateway: Client, resources: Resources) -> None:
    """Aliases are not formats of their own; unknown fields are ignored."""
    directory = await put_sources(resources, {"a.png": image_files.png()})
    status, response = await post(
        gateway, "/images/convert/start", {"source": "directory", "directory": directory, "nonsense": 1}
    )

    assert status == 200
    assert len(response["usedFormats"]) == 5


async def test_only_one_run_is_active_at_a_time(gateway: Client, resources: Resources) -> None:
    """Of a hundred concurrent starts one succeeds; the others get 503 `internalError`."""
    directory = await put_sources(resources, {"a.png": image_files.png()})
    body = {"source": "directory", "directory": directory, "formatList": [THUMBNAIL]}
    responses = await asyncio.gather(*(post(gateway, "/images/convert/start", body) for _ in range(100)))
    statuses = [status for status, _ in responses]

    assert statuses.count(200) == 1
    assert statuses.count(503) == 99
    assert {response["type"] for status, response in responses if status == 503} == {"internalError"}


async def test_a_running_run_reports_its_progress(gateway: Client, resources: Resources) -> None:
    """Without a worker the run stays active, neither canceled nor finished."""
    directory = await put_sources(resources, {"a.png": image_files.png()})
    response = await start(gateway, directory, THUMBNAIL)

    assert response["running"] is True
    assert response["canceled"] is False
    assert response["status"] == "running"
    assert response["timer"]["end"] == 0
    assert response["progress"]["finished"] == 0


async def test_cancel_without_an_active_run_returns_the_last_status(gateway: Client, resources: Resources) -> None:
    """An empty body is accepted; the state of a finished run does not change."""
    directory = await put_sources(resources, {"a.png": image_files.png()})
    await start(gateway, directory, THUMBNAIL)
    await post(gateway, "/images/convert/cancel", b"")
    status, response = await post(gateway, "/images/convert/cancel", {})

    assert (status, response["status"]) == (200, "canceled")


@pytest.mark.parametrize("cursor", ["x", "-1", "1.5", "٣", "9" * 20, ""])
async def test_an_invalid_cursor_is_rejected(gateway: Client, resources: Resources, cursor: str) -> None:
    """It is no server error, before and after the first run."""
    before = await get(gateway, f"/images/convert/results?cursor={cursor}")
    await start(gateway, await put_sources(resources, {"a.png": image_files.png()}), THUMBNAIL)
    after = await get(gateway, f"/images/convert/results?cursor={cursor}")

    assert [(status, response["type"]) for status, response in (before, after)] == [(400, "invalidValue")] * 2


async def test_permissions_are_required(make_settings: MakeSettings, resources: Resources, tmp_path: Path) -> None:
    """Reading needs `images.read`, starting and canceling `images.publish`."""
    file = tmp_path / "keys.toml"
    file.write_text(key_entry("r", "reader", ["images.read"]) + key_entry("p", "publisher", ["images.publish"]))
    settings = make_settings(gateway=GatewaySettings(api_keys_file=file))
    async with TestClient(TestServer(create_app(settings, resources))) as client:
        for method, path, key, expected_status in (
            ("GET", "status", "reader", 200),
            ("GET", "results", "reader", 200),
            ("GET", "runs", "reader", 200),
            ("GET", "events", "reader", 200),
            ("GET", "status", "publisher", 401),
            ("GET", "results", "publisher", 401),
            ("GET", "runs", "publisher", 401),
            ("GET", "events", "publisher", 401),
            ("POST", "cancel", "publisher", 200),
            ("POST", "cancel", "reader", 401),
            ("POST", "start", "publisher", 400),
            ("POST", "start", "reader", 401),
        ):
            headers = {"Authorization": f"Bearer {key}"}
            async with client.request(method, f"/images/convert/{path}", headers=headers, data=b"{}") as response:
                assert (path, key, response.status) == (path, key, expected_status)
