"""The pages of runs, in a real browser with a real worker."""

import re
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from playwright.async_api import Page, expect

from imageconverter import keys
from imageconverter.resources import Resources
from imageconverter.settings import GatewaySettings
from services.gateway.app import create_app
from services.gateway.auth.api_keys import key_entry
from services.reporter.main import run as run_reporter
from tests.conftest import API_KEY, TOKEN_SECRET, MakeSettings
from tests.console.accessibility import overflow, violations
from tests.console.conftest import Visit
from tests.testing import image_files
from tests.testing.roles import running
from tests.testing.runs import PRODUCT, THUMBNAIL, Client, finished, get, post, put_sources, start

pytestmark = pytest.mark.usefixtures("worker", "no_run")

WHOLE, BROKEN = image_files.png(), image_files.png()[:40]


async def run_over(gateway: Client, directory: str, *formats: str) -> str:
    """Convert a directory and return the id of the run."""
    await start(gateway, directory, *(formats or (THUMBNAIL,)))
    await finished(gateway)
    return str((await get(gateway, "/images/convert/runs"))[1]["items"][0]["id"])


def figure(page: Page, name: str) -> Any:
    """Return the value of a figure."""
    return page.locator(".figure", has=page.locator("dt", has_text=name)).locator("dd")


@pytest.mark.parametrize("language", ["en", "de"])
async def test_a_run_is_planned_started_and_retried(
    visit: Visit, gateway: Client, resources: Resources, language: str
) -> None:
    """What would be done is shown before; then its results, and only what failed is converted again."""
    is_german = language == "de"
    directory = await put_sources(resources, {"a.png": WHOLE, "b.png": BROKEN, "notes.txt": b"x"})
    page = await visit("/console/runs", language=language)
    await page.get_by_role("link", name="Lauf starten" if is_german else "Start a run").first.click()
    await page.get_by_label("Verzeichnis" if is_german else "Directory", exact=True).fill(directory)
    for box in await page.locator("input[name=format]").all():
        await box.set_checked(await box.get_attribute("value") == THUMBNAIL)
    await page.get_by_role("button", name="Anzeigen, was" if is_german else "Show what").click()
    await expect(page.locator("[data-plan-state]")).to_contain_text("2 Bilder" if is_german else "2 images")
    assert await page.locator("[data-plan] tbody td").all_inner_texts() == ["2", "0", "1"]
    assert (await get(gateway, "/images/convert/status"))[1]["status"] == "ready"

    await page.locator("[data-start]").click()
    await page.wait_for_url(re.compile(r"/console/runs/[0-9a-f]{12}$"))
    await expect(page.locator(".result")).to_have_count(3)
    await expect(figure(page, "Fehlgeschlagen" if is_german else "Failed")).to_have_text("1")

    await resources.store.put(keys.source(f"{directory}/b.png"), WHOLE, content_type="image/png")
    first = page.url
    await page.locator("[data-retry]").click()
    await page.wait_for_url(lambda url: url != first)
    await expect(page.locator(".result")).to_have_count(1)
    assert await page.locator(".result-name").all_inner_texts() == ["b.png"]
    assert await page.locator("[data-retry]").count() == 0


async def test_results_are_filtered_with_previews(visit: Visit, gateway: Client, resources: Resources) -> None:
    """By outcome and format; what cannot be shown has an icon; names are only ever texts."""
    name = "<img src=x onerror=alert(1)> \u202e photo.png"
    directory = await put_sources(resources, {name: WHOLE, "b.png": BROKEN, "c.png": WHOLE})
    run = await run_over(gateway, directory, THUMBNAIL, PRODUCT)
    page = await visit(f"/console/runs/{run}")
    names = page.locator(".result-name")

    assert await names.all_inner_texts() == [name, "b.png", "c.png"]
    await expect(page.locator(".result", has_text="b.png").locator(".thumbnail.missing")).to_have_count(1)
    shown = page.locator(".result", has_text="c.png").locator("img.thumbnail")
    await expect(shown).to_have_count(3)
    for image in await shown.all():
        await expect(image).to_have_js_property("complete", value=True)
        assert await image.evaluate("(each) => each.naturalWidth") > 0
    await page.get_by_text("Failed", exact=False).locator("visible=true").and_(page.locator("label.button")).click()
    await expect(names).to_have_text(["b.png"])
    await page.get_by_label("Format").select_option(THUMBNAIL)
    await expect(page.locator(".output")).to_have_count(1)
    assert "status=error" in page.url
    await page.reload()
    await expect(names).to_have_text(["b.png"])


async def test_progress_is_live_and_a_run_can_be_canceled(
    visit: Visit, gateway: Client, resources: Resources
) -> None:
    """Errors appear as they come, also for another person who watches; the connection may break."""
    large = image_files.png((2000, 2000))
    directory = await put_sources(resources, {f"{n:03}.png": large if n % 5 else BROKEN for n in range(100)})
    other = await visit("/console/runs", language="de")
    await start(gateway, directory, PRODUCT)
    page = await visit("/console/runs")
    await expect(page.locator(".failures li").first).to_contain_text("The PNG file is broken.")
    await expect(page.locator("[data-images]")).to_contain_text("/ 100")
    await expect(page.locator("[data-rate]")).to_have_text(re.compile(r"\d"))
    await expect(page.locator("[data-left]")).to_have_text(re.compile(r"\d"))
    assert await violations(page) == []

    await expect(other.locator("[data-live]")).to_be_visible()
    await other.get_by_role("button", name="Lauf abbrechen").click()
    await other.get_by_role("dialog").get_by_role("button", name="Lauf abbrechen").click()
    await expect(page.locator("[data-live]")).to_have_count(0)
    await expect(page.locator(".history td .badge")).to_have_text(["Canceled"])
    await expect(other.locator(".history td .badge")).to_have_text(["Abgebrochen"])


async def test_a_second_run_is_refused_and_the_active_one_shown(
    visit: Visit, gateway: Client, resources: Resources
) -> None:
    """Two people start at once."""
    large = image_files.png((2000, 2000))
    directory = await put_sources(resources, {f"{n:03}.png": large for n in range(100)})
    page = await visit(f"/console/runs/new?directory={directory}")
    await page.get_by_role("button", name="Show what").click()
    await expect(page.locator("[data-plan-state]")).to_contain_text("images would be made")
    await start(gateway, directory, PRODUCT)
    await page.locator("[data-start]").click()
    await page.get_by_role("button", name="Show the active run").click()

    await expect(page.locator("[data-live]")).to_be_visible()
    await post(gateway, "/images/convert/cancel", {})


async def test_what_a_key_may_not_start_is_not_offered(
    visit: Visit, gateway: Client, make_settings: MakeSettings, resources: Resources, tmp_path: Any
) -> None:
    """A reader sees runs and results."""
    directory = await put_sources(resources, {"b.png": BROKEN})
    run = await run_over(gateway, directory)
    file = tmp_path / "keys.toml"
    file.write_text(key_entry("reader", "key-of-reader", ["images.read"]))
    settings = make_settings(gateway=GatewaySettings(api_key=API_KEY, api_keys_file=file, token_secret=TOKEN_SECRET))
    async with TestClient(TestServer(create_app(settings, resources))) as client:
        page = await visit("/console/runs", key="key-of-reader", base=str(client.make_url("/")))
        assert await page.get_by_role("link", name="Start a run").count() == 0
        await page.get_by_role("link", name=directory).click()
        await page.wait_for_url(f"**/console/runs/{run}")
        assert await page.locator(".result").count() == 1
        assert await page.locator("[data-retry], [data-cancel]").count() == 0


@pytest.mark.parametrize("width", [390, 1280, 2560])
@pytest.mark.parametrize(("theme", "language"), [("light", "en"), ("dark", "de")])
async def test_the_pages_can_be_used_by_everybody(
    visit: Visit, gateway: Client, resources: Resources, width: int, theme: str, language: str
) -> None:
    """At each width, in both themes and languages, also with a very long name."""
    directory = await put_sources(resources, {f"{'long name ' * 12}.png": BROKEN, "a.png": WHOLE})
    run = await run_over(gateway, directory, THUMBNAIL, PRODUCT)
    await run_over(gateway, directory, THUMBNAIL, PRODUCT)
    for path in ("/console/runs", f"/console/runs/{run}", "/console/runs/new"):
        page = await visit(path, width=width, theme=theme, language=language)
        assert await violations(page) == []
        assert await overflow(page) == []


async def test_two_runs_are_compared(
    visit: Visit, gateway: Client, resources: Resources, make_settings: MakeSettings
) -> None:
    """By a reporter, for which the page waits; the run before is suggested."""
    directory = await put_sources(resources, {"a.png": WHOLE, "b.png": BROKEN})
    await run_over(gateway, directory)
    for name, data in {"a.png": BROKEN, "b.png": WHOLE, "c.png": WHOLE}.items():
        await resources.store.put(keys.source(f"{directory}/{name}"), data, content_type="image/png")
    run = await run_over(gateway, directory)
    page = await visit(f"/console/runs/{run}", language="de", width=390)
    await page.get_by_role("button", name="Vergleichen").click()
    await expect(page.get_by_text("Die Läufe werden verglichen.")).to_be_visible()
    assert await violations(page) == []

    async with running(make_settings(), run_reporter):
        await expect(page.locator(".result-name")).to_have_text(["a.png"])
        await expect(page.locator(".change .badge")).to_have_text(["Konvertiert", "Fehlgeschlagen"])
        await page.get_by_label("Nicht mehr fehlgeschlagen").check(force=True)
        await expect(page.locator(".result-name")).to_have_text(["b.png"])
        await page.locator("#difference-new").check(force=True)
        await expect(page.locator(".result-name")).to_have_text(["c.png"])
        assert await violations(page) == []
        assert await overflow(page) == []


async def test_progress_goes_on_after_a_restart_and_a_new_login(
    visit: Visit, make_settings: MakeSettings, resources: Resources
) -> None:
    """The page says that the connection is lost, and connects again by itself."""
    large = image_files.png((2000, 2000))
    directory = await put_sources(resources, {f"{n:03}.png": large for n in range(200)})
    first = TestServer(create_app(make_settings(), resources))
    async with TestClient(first) as client:
        await start(client, directory, PRODUCT)
        port = first.port
        page = await visit("/console/runs", base=str(client.make_url("/")))
        await expect(page.locator("[data-rate]")).to_have_text(re.compile(r"\d"))
    await expect(page.get_by_text("The connection is lost.")).to_be_visible()
    await page.context.clear_cookies()
    async with TestClient(TestServer(create_app(make_settings(), resources), port=port)) as client:
        await page.get_by_role("dialog").get_by_label("API key").fill(API_KEY)
        await page.get_by_role("dialog").get_by_role("button", name="Log in").click()
        await expect(page.get_by_text("The connection is lost.")).to_be_hidden()
        before = await page.locator("[data-images]").inner_text()
        await expect(page.locator("[data-images]")).not_to_have_text(before)
        await post(client, "/images/convert/cancel", {})
        await expect(page.locator(".history td .badge").first).to_have_text("Canceled")
        await page.close()


async def test_an_unknown_run_has_a_page_of_its_own(visit: Visit) -> None:
    """With a way back."""
    page = await visit("/console/runs/nosuchrun")
    await expect(page.get_by_text("This page does not exist")).to_be_visible()
