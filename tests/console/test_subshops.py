"""The choice of a subshop in the console."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestClient, TestServer
from playwright.async_api import expect

from imageconverter.images.current_formats import CurrentFormats
from imageconverter.resources import Resources
from imageconverter.settings import GatewaySettings
from services.gateway.app import create_app
from services.gateway.auth.api_keys import key_entry
from tests.conftest import API_KEY, TOKEN_SECRET, MakeSettings
from tests.console.accessibility import overflow, violations
from tests.console.conftest import Visit
from tests.images.test_formats_file import FORMAT
from tests.testing import image_files
from tests.testing.runs import put_sources

SUBSHOPS = """[[subshop]]
id = "main"
name = "Main shop"

[[subshop]]
id = "outdoor"
name = "Outdoor & more"
contentHost = "content.outdoor.example"
targetPrefix = "{prefix}"

[[subshop.format]]
id = "card"
name = "card"
type = "product"
targetDirectory = "cards"
maxWidth = 20
maxHeight = 20
"""


@pytest.fixture
async def shops(make_settings: MakeSettings, resources: Resources, tmp_path: Path) -> AsyncIterator[str]:
    """The address of a gateway with two subshops, and a key for one of them."""
    (tmp_path / "formats.toml").write_text(FORMAT)
    (tmp_path / "subshops.toml").write_text(SUBSHOPS.format(prefix=f"outdoor-{uuid4().hex}"))
    (tmp_path / "keys.toml").write_text(
        key_entry("o", "key-of-outdoor", ["images.read", "images.publish"], ["outdoor"])
    )
    settings = make_settings(
        gateway=GatewaySettings(
            api_key=API_KEY, api_keys_file=tmp_path / "keys.toml", token_secret=TOKEN_SECRET, wait_seconds=20
        )
    )
    formats = CurrentFormats(tmp_path / "formats.toml", tmp_path / "subshops.toml")
    async with TestClient(TestServer(create_app(settings, replace(resources, formats=formats)))) as client:
        yield str(client.make_url("/"))


@pytest.mark.usefixtures("no_run", "worker")
async def test_a_run_is_started_for_the_chosen_subshop(visit: Visit, shops: str, resources: Resources) -> None:
    """With its formats; the page of the run names it."""
    directory = await put_sources(resources, {"a.png": image_files.png()})
    page = await visit(f"/console/runs/new?directory={directory}", base=shops)
    assert await page.get_by_role("checkbox", name="card").count() == 0
    await page.get_by_role("link", name="Outdoor & more").click()
    await expect(page.get_by_role("checkbox", name="card")).to_be_visible()
    assert await violations(page) == []
    assert await overflow(page) == []
    await page.get_by_label("Directory", exact=True).fill(directory)
    await page.get_by_role("button", name="Show what would be done").click()
    await expect(page.get_by_text("2 images would be made.")).to_be_visible()
    await page.get_by_role("button", name="Start the run").click()
    await page.wait_for_url("**/console/runs/*")
    await page.get_by_text("What this run converts").click()
    await expect(page.locator(".facts")).to_contain_text("Outdoor & more")


@pytest.mark.usefixtures("worker")
async def test_an_image_is_converted_for_the_only_subshop_of_a_key(visit: Visit, shops: str, tmp_path: Path) -> None:
    """There is nothing to choose; addresses are those of its content host, and the outputs can be seen."""
    image = tmp_path / "b.png"
    image.write_bytes(image_files.png())
    page = await visit("/console/", base=shops, key="key-of-outdoor")
    assert await page.get_by_role("link", name="Main shop").count() == 0
    await page.get_by_role("checkbox", name="small").check()
    await page.locator("[data-files]").set_input_files(image)
    await expect(page.locator('a[href="http://content.outdoor.example/small/b.png"]')).to_be_attached()
    await expect(page.locator('img[src^="/content/outdoor-"]').first).to_be_attached()


async def test_an_unknown_subshop_has_an_error_page(visit: Visit, shops: str) -> None:
    """And so has one that the key is not for."""
    page = await visit("/console/runs/new?subshop=other", base=shops)
    await expect(page.get_by_text("There is no subshop")).to_be_visible()
    page = await visit("/console/?subshop=main", base=shops, key="key-of-outdoor")
    await expect(page.locator("body")).to_contain_text("outdoor")
    assert await page.locator("[data-files]").count() == 0
