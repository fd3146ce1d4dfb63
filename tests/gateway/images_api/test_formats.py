"""`GET images/formats`: the formats in effect."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from imageconverter.images.conversions import stored_size
from imageconverter.images.current_formats import CurrentFormats
from imageconverter.resources import Resources
from imageconverter.settings import GatewaySettings
from services.gateway.app import create_app
from services.worker.main import run as run_worker
from tests.conftest import ADMIN, API_KEY, MakeSettings
from tests.images.test_format_sets import SET
from tests.images.test_formats_file import FORMAT, OTHER
from tests.testing import image_files
from tests.testing.roles import running
from tests.testing.runs import finished, post, put_sources

PREFIX = "content.imageFormat."


@pytest.mark.parametrize("base", ["/admin/api/v1/images", "/images"])
async def test_the_shipped_formats_are_listed_in_the_order_of_the_file(
    gateway: TestClient[Any, Any], base: str
) -> None:
    """With box, output and directories."""
    async with gateway.get(f"{base}/formats", headers=ADMIN) as response:
        body = await response.json()

    assert [each["id"].removeprefix(PREFIX) for each in body["items"]] == [
        *("app", "normalCategory", "normalProduct", "thumbnailProduct", "largeProduct"),
    ]
    assert body["items"][2] == {
        "id": f"{PREFIX}normalProduct",
        "name": "normal product",
        "type": "products",
        "box": {"maxWidth": 800, "maxHeight": 800, "fit": "contain"},
        "output": "keep",
        "directories": {"target": "products/normal", "source": ""},
        "aliases": [f"{PREFIX}normal"],
        "fingerprint": body["items"][2]["fingerprint"],
    }
    # That of release 0.1.0, which reports carry.
    assert body["digest"] == "b08023eacb89f22cc87d6ab3019be454058e20c7150a1fa2a66ecc60a28d445d"


async def test_a_change_of_the_file_shows_in_list_and_fingerprints(
    make_settings: MakeSettings, resources: Resources, tmp_path: Path
) -> None:
    """Only of what has changed; the members of a set name it."""
    file = tmp_path / "formats.toml"
    file.write_text(FORMAT + SET)
    formats = CurrentFormats(file)
    app = create_app(make_settings(), replace(resources, formats=formats))
    async with TestClient(TestServer(app)) as client:

        async def listed() -> dict[str, Any]:
            async with client.get("/images/formats", headers=ADMIN) as response:
                return dict(await response.json())

        before = await listed()
        file.write_text(FORMAT.replace("maxWidth = 100", "maxWidth = 101") + SET)
        formats.refresh(at_once=True)
        after = await listed()

    assert [each.get("set") for each in before["items"]] == [None, *[f"{PREFIX}gallery"] * 3]
    assert [each["box"]["maxWidth"] for each in after["items"]] == [101, 320, 640, 1280]
    changed = [
        one["fingerprint"] != other["fingerprint"] for one, other in zip(before["items"], after["items"], strict=True)
    ]
    assert changed == [True, False, False, False]
    assert before["digest"] != after["digest"]


@pytest.mark.usefixtures("no_run")
async def test_a_run_keeps_the_formats_that_it_started_with(
    make_settings: MakeSettings, resources: Resources, tmp_path: Path
) -> None:
    """The file changes after the start, before a worker converts anything."""
    file = tmp_path / "formats.toml"
    file.write_text(FORMAT)
    formats = CurrentFormats(file)
    settings = make_settings(gateway=GatewaySettings(api_key=API_KEY, start_seconds=0))
    source = await put_sources(resources, {"wide.png": image_files.png((300, 100))})
    start = {"source": "directory", "directory": source, "formatList": [f"{PREFIX}small"]}
    app = create_app(settings, replace(resources, formats=formats))
    async with TestClient(TestServer(app)) as client:
        assert (await post(client, "/images/convert/start", start))[0] == 200
        file.write_text(OTHER.replace("= 100", "= 50"))
        assert formats.refresh(at_once=True)
        async with running(settings, run_worker):
            ended = await finished(client)
        status, _ = await post(client, "/images/convert/start", start)

    assert (ended["usedFormats"], ended["counter"]["success"]) == ([f"{PREFIX}small"], 1)
    stored = await resources.store.head("target/small/wide.png")
    assert stored is not None
    assert stored_size(stored.metadata) == (100, 33)
    assert status == 400
