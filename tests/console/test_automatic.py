"""The page Automatic conversion, in a real browser."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from playwright.async_api import expect

from imageconverter import keys
from imageconverter.automatic.orphans import Orphan
from imageconverter.automatic.scan_store import MOVED, SOURCES, SUBMITTED, Refusal
from imageconverter.images.current_formats import CurrentFormats
from imageconverter.resources import Resources
from imageconverter.settings import GatewaySettings
from services.gateway.app import create_app
from services.gateway.auth.api_keys import key_entry
from tests.conftest import API_KEY, TOKEN_SECRET, MakeSettings
from tests.console.accessibility import overflow, violations
from tests.console.conftest import Visit

_STATE = (keys.AUTOMATIC, keys.AUTOMATIC_SCAN, keys.ORPHANS, keys.RUNS_SCHEDULED)
_FORMAT = """
[[format]]
id = "small"
name = "small images"
type = "product"
sourceDirectory = "incoming"
targetDirectory = "small"
automatic = true
follow = "trash"
maxWidth = 16
maxHeight = 16
"""
PAGE = "/console/runs/automatic"


@pytest.fixture
async def base(resources: Resources, make_settings: MakeSettings, tmp_path: Path) -> AsyncIterator[str]:
    """The address of a gateway with an automatic format, and the state of a scan that has found orphans."""
    (tmp_path / "formats.toml").write_text(_FORMAT)
    (tmp_path / "keys.toml").write_text(key_entry("reader", "key-of-reader", ["images.read"]))
    settings = make_settings(
        gateway=GatewaySettings(api_key=API_KEY, api_keys_file=tmp_path / "keys.toml", token_secret=TOKEN_SECRET)
    )
    own = replace(resources, formats=CurrentFormats(tmp_path / "formats.toml"))
    await resources.redis.delete(*_STATE)
    async with TestClient(TestServer(create_app(settings, own))) as client:
        yield str(client.make_url("/"))
    await resources.redis.delete(*_STATE)
    await resources.run_schedule.reset()


@pytest.fixture
async def scanned(resources: Resources, base: str) -> None:  # noqa: ARG001 - which clears the state before
    """A scan that has found 60 orphans and moved none of them."""
    await resources.scans.begin()
    scan = (await resources.scans.record()).started
    await resources.scans.advance("", {SOURCES: 4210, SUBMITTED: 7, MOVED: 0}, scan=scan)
    await resources.scans.put_orphans(
        Orphan(
            path=f"small/{'a long name ' * 8 if number == 0 else ''}{number:02}.png",
            source=f"incoming/{number:02}.tiff",
            format="content.imageFormat.small",
            bytes=1,
            etag='"e"',
            since=scan,
            seen=scan,
        )
        for number in range(60)
    )
    refusal = Refusal(format="content.imageFormat.small", reason="Too many.")
    await resources.scans.end(scan=scan, refusals=[refusal], trash=[], moved=0)


@pytest.mark.usefixtures("scanned")
async def test_the_last_scan_its_orphans_and_the_next_scan(visit: Visit, base: str, resources: Resources) -> None:
    """Reached from the runs; a scan can be requested, and the schedule changed."""
    page = await visit("/console/runs", base=base)
    await page.get_by_role("link", name="Automatic conversion").click()
    await page.wait_for_url(f"**{PAGE}")
    figures = page.locator(".figure")
    await expect(figures.filter(has_text="Sources").locator("dd")).to_have_text("4,210")
    await expect(figures.filter(has_text="Without source").locator("dd")).to_have_text("60")
    await expect(page.locator(".message.warning")).to_contain_text("No image of small images was moved")
    await expect(page.locator("tbody tr")).to_have_count(50)
    await page.get_by_role("link", name="Next").click()
    await expect(page.locator("tbody tr")).to_have_count(10)

    await expect(page.locator(".facts")).to_contain_text("Every 10 minutes")
    await page.get_by_text("Change", exact=True).click()
    await page.get_by_label("How often").select_option("By a cron expression")
    await page.get_by_label("Cron expression").fill("*/5 * * * *")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator(".facts")).to_contain_text("Every 5 minutes")
    assert (await resources.run_schedule.get()).cron == "*/5 * * * *"

    await page.get_by_role("button", name="Scan now").click()
    await expect(page.get_by_role("heading", name="Running scan")).to_be_visible()
    assert (await resources.pending_sources.state()).is_requested


async def test_before_the_first_scan_there_is_a_line(visit: Visit, base: str) -> None:
    """And no list."""
    page = await visit(PAGE, base=base)
    await expect(page.get_by_text("There was no scan yet.")).to_be_visible()
    assert await page.locator("table").count() == 0


@pytest.mark.usefixtures("scanned")
async def test_a_reader_sees_it_without_buttons(visit: Visit, base: str) -> None:
    """The schedule needs the permission admin."""
    page = await visit(PAGE, key="key-of-reader", base=base)
    await expect(page.locator("tbody tr")).to_have_count(50)
    assert await page.get_by_role("button", name="Scan now").count() == 0
    assert await page.locator(".schedule-form").count() == 0


async def test_without_automatic_formats_the_runs_do_not_name_it(visit: Visit) -> None:
    """Those of the defaults are none."""
    page = await visit("/console/runs")
    await expect(page.get_by_role("heading", name="Runs", level=1)).to_be_visible()
    assert await page.get_by_role("link", name="Automatic conversion").count() == 0


@pytest.mark.usefixtures("scanned")
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize(("theme", "language"), [("light", "en"), ("dark", "de")])
async def test_the_page_is_accessible(visit: Visit, base: str, width: int, theme: str, language: str) -> None:
    """At each width, in both themes and languages."""
    page = await visit(PAGE, base=base, width=width, theme=theme, language=language)
    name = "Automatische Umwandlung" if language == "de" else "Automatic conversion"
    await expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    assert await violations(page) == []
    assert await overflow(page) == []
