"""The page *Reports*, with a shop of its own."""

import asyncio
import csv
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from playwright.async_api import FilePayload, expect

from imageconverter import keys
from imageconverter.jobs import QueueName
from imageconverter.resources import Resources
from imageconverter.settings import GatewaySettings, Settings
from services.gateway.auth.api_keys import key_entry
from tests.conftest import ADMIN, API_KEY, TOKEN_SECRET, MakeSettings
from tests.console.accessibility import overflow, violations
from tests.console.conftest import Visit
from tests.testing import drawings, image_files, shop_client
from tests.testing.shop_client import LARGE, NORMAL, THUMBNAIL, Shop

HOSTILE = '"><img src=x onerror=alert(1)>.png'
# What the main task of the page is called.
WORDS = {
    "en": {
        "start": "Make a report", "missing": "Missing", "unused": "Unused", "clean": "Clean up …",
        "move": "Move 1 file to the trash", "moved": "1 file is in the trash now.", "undo": "Undo",
        "restored": "1 file is restored.", "file": "Choose a CSV or NDJSON file",
    },
    "de": {
        "start": "Bericht erstellen", "missing": "Fehlend", "unused": "Nicht verwendet", "clean": "Aufräumen …",
        "move": "1 Datei in den Papierkorb verschieben", "moved": "1 Datei liegt jetzt im Papierkorb.",
        "undo": "Rückgängig", "restored": "1 Datei ist wiederhergestellt.", "file": "CSV- oder NDJSON-Datei wählen",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def settings(make_settings: MakeSettings, servers: dict[str, str]) -> Settings:
    """Settings of a separate stack."""
    return shop_client.shop_settings(make_settings, servers)


@pytest.fixture(scope="module")
async def stack(settings: Settings) -> AsyncIterator[Resources]:
    """Run a reporter and a worker."""
    async with shop_client.running_stack(settings) as resources:
        yield resources


@pytest.fixture
async def shop(settings: Settings, stack: Resources) -> AsyncIterator[Shop]:
    """A shop without images and catalogs."""
    async with shop_client.empty_shop(settings, stack) as shop:
        yield shop


@pytest.fixture
def base(shop: Shop) -> str:
    """The address of the shop's gateway."""
    return str(shop.client.make_url("/"))


async def make_reports(shop: Shop) -> None:
    """Make two reports of a shop in which four images are missing and some files are unused."""
    await shop.send({"1": ["a.jpg"], "2": ["b.jpg"], "3": ["chair.png"]})
    await shop.put_everywhere("a.jpg")
    await shop.put(f"{NORMAL}/chair.png", f"{NORMAL}/b.jpg", f"{LARGE}/B.JPG", data=image_files.png())
    await shop.put(f"{NORMAL}/old.png", f"{NORMAL}/{HOSTILE}", data=image_files.png())
    await shop.resources.store.put("source/products/chair.png", image_files.png(), content_type="image/png")
    await shop.report()
    await asyncio.sleep(0.01)
    await shop.report()


@pytest.mark.parametrize("language", ["en", "de"])
async def test_from_the_catalog_to_the_clean_up_and_back(
    visit: Visit, shop: Shop, base: str, tmp_path: Path, language: str
) -> None:
    """A catalog is uploaded, reports are made, an unused file is moved to the trash and restored."""
    words = WORDS[language]
    catalog = tmp_path / "shop.csv"
    catalog.write_text("id;active;images\n1;true;a.jpg|b.jpg\n2;false;old.png\n")
    await shop.put(f"{NORMAL}/a.jpg", f"{NORMAL}/b.jpg", f"{NORMAL}/old.png", data=image_files.png())
    page = await visit("/console/reports", base=base, language=language)
    async with page.expect_file_chooser() as chooser:
        await page.get_by_text(words["file"]).click()
    await (await chooser.value).set_files(catalog)

    for _ in range(2):
        async with page.expect_event("load"):  # when the report is made
            await page.get_by_role("button", name=words["start"]).first.click()
    await expect(page.locator("#rows tbody tr")).to_have_count(4)
    await page.get_by_role("link", name=words["unused"]).click()
    await expect(page.locator("#rows tbody tr")).to_have_count(1)
    await expect(page.locator("#rows tbody tr")).to_contain_text("old.png")
    await page.get_by_role("button", name=words["clean"]).click()
    assert await violations(page) == []
    await page.get_by_role("button", name=words["move"]).click()

    await page.get_by_text(words["moved"]).wait_for()
    assert await shop.resources.store.head(f"target/{NORMAL}/old.png") is None
    await page.get_by_role("button", name=words["undo"]).click()
    await page.get_by_text(words["restored"]).wait_for()
    assert await shop.resources.store.head(f"target/{NORMAL}/old.png") is not None


async def test_a_report_without_a_reporter_says_what_is_to_be_done(
    visit: Visit, gateway: TestClient[Any, Any], resources: Resources
) -> None:
    """It waits for one."""
    assert await resources.queue.live_processes("reporter") == {}
    assert (await gateway.post("/images/report", json={}, headers=ADMIN)).status == 200
    try:
        page = await visit("/console/reports")
        await page.get_by_text("No reporter is running.").wait_for()
    finally:
        await resources.redis.delete(keys.queue(QueueName.SCAN))
    await expect(page.locator("#progress")).to_be_empty()  # after a look a second later


async def test_missing_images_are_converted_again(visit: Visit, shop: Shop, base: str) -> None:
    """Those whose source is there, which is shown before."""
    await make_reports(shop)
    page = await visit("/console/reports", base=base)
    assert await page.locator("#rows tbody tr", has_text="The source is there").count() == 2
    await expect(page.locator("#rows tbody tr", has_text="Similar name")).to_contain_text(f"{LARGE}/b.jpg")
    await page.get_by_role("button", name="Convert again").click()
    await page.get_by_role("dialog").get_by_role("button", name="Convert again").click()

    await page.get_by_text("1 image is being converted again.").wait_for()
    async with asyncio.timeout(20):
        while await shop.resources.store.head(f"target/{THUMBNAIL}/chair.png") is None:
            await asyncio.sleep(0.05)


async def test_a_clean_up_works_by_the_keyboard_alone(visit: Visit, shop: Shop, base: str) -> None:
    """The dialog takes the focus, Escape closes it and gives the focus back."""
    await make_reports(shop)
    page = await visit("/console/reports?table=unused", base=base)
    await page.get_by_role("button", name="Clean up").focus()
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Move 2 files to the trash").wait_for()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Clean up")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Move 2 files to the trash").focus()
    await page.keyboard.press("Enter")

    await page.get_by_text("2 files are in the trash now.").wait_for()


async def test_names_are_never_interpreted(visit: Visit, shop: Shop, base: str) -> None:
    """Neither in the rows nor in the preview of a clean-up; their images are shown."""
    await make_reports(shop)
    page = await visit("/console/reports?table=unused", base=base)
    hostile = page.locator("#rows tbody tr", has_text="onerror")
    await expect(hostile.locator(".name").first).to_have_text(HOSTILE)
    await hostile.locator("img").evaluate("image => image.decode()")
    await page.get_by_role("button", name="Clean up").click()

    await expect(page.locator("#cleanup li", has_text="onerror")).to_have_text(f"{NORMAL}/{HOSTILE}")
    assert await page.locator("img[src=x]").count() == 0


async def test_many_rows_are_shown_in_pages_and_downloaded_at_once(visit: Visit, shop: Shop, base: str) -> None:
    """A page has an address of its own, and stays with its report."""
    await shop.send({"1": [f"{number:03}.jpg" for number in range(40)]})
    await shop.report()
    page = await visit("/console/reports", base=base)
    await expect(page.locator("#rows tbody tr")).to_have_count(50)
    await page.get_by_role("link", name="Next").click()
    await page.get_by_text("51 to 100 of 120").wait_for()
    await shop.send({"1": ["another.jpg"]})
    await shop.report()
    await page.reload()
    await page.get_by_text("51 to 100 of 120").wait_for()
    await page.get_by_role("link", name="Next").click()
    await expect(page.locator("#rows tbody tr")).to_have_count(20)
    assert await page.get_by_role("link", name="Next").count() == 0
    await page.go_back()
    await page.get_by_text("51 to 100 of 120").wait_for()
    await page.get_by_role("button", name="Convert again").click()
    await page.get_by_role("dialog").get_by_role("button", name="Cancel").click()

    async with page.expect_download() as download:
        await page.get_by_role("link", name="CSV").click()
    rows = list(csv.DictReader(Path(await (await download.value).path()).read_text().splitlines()))
    assert len(rows) == 3  # of the newest report


@pytest.mark.parametrize("language", ["en", "de"])
async def test_sources_that_look_alike_are_shown(visit: Visit, shop: Shop, base: str, language: str) -> None:
    """With their thumbnails; the table can be downloaded."""
    await shop.send({"1": ["a.jpg"]})
    photograph = drawings.photo((300, 200))
    sources = {f"{HOSTILE[:-4]}.png": photograph, "small.png": photograph.resize((150, 100))}
    for name, image in sources.items():
        await shop.resources.store.put(
            f"source/products/{name}", image_files.png(image=image), content_type="image/png"
        )
    _, known = await shop.ask("POST", "/sources/facts", {"directory": "products"})
    assert {each["state"] for each in known["items"]} == {"known"}
    await shop.report()
    page = await visit("/console/reports?table=missing", base=base, language=language)
    await page.get_by_role("link", name={"en": "Similar", "de": "Ähnlich"}[language]).click()
    rows = page.locator("#rows tbody tr")

    await expect(rows).to_have_count(2)
    await expect(rows.nth(0)).to_contain_text("300 \N{MULTIPLICATION SIGN} 200")
    await expect(rows.nth(1)).to_contain_text("products/small.png")
    await expect(rows.nth(1).get_by_role("presentation")).to_have_js_property("naturalWidth", 150)
    assert await violations(page) == []
    async with page.expect_download() as download:
        await page.get_by_role("link", name="CSV").click()
    text = (await (await download.value).path()).read_text()
    assert [line.split(",")[:2] for line in text.splitlines()] == [["kind", "group"], *[["similar", "1"]] * 2]


async def test_a_large_share_has_to_be_confirmed(visit: Visit, shop: Shop, base: str) -> None:
    """The preview says what is unusual; only then the files can be moved."""
    await shop.send({"1": ["a.jpg"]})
    await shop.put(f"{NORMAL}/a.jpg", f"{NORMAL}/old.jpg", f"{NORMAL}/older.jpg")
    await shop.report()
    await asyncio.sleep(0.01)
    await shop.report()
    page = await visit("/console/reports?table=unused", base=base)
    await page.get_by_role("button", name="Clean up").click()
    move = page.get_by_role("button", name="Move 2 files to the trash")
    await page.get_by_text("2 of 3 files are more than the allowed 50 %.").wait_for()
    await expect(move).to_be_disabled()
    await page.get_by_label("I have checked the list").check()
    await move.click()

    await page.get_by_text("2 files are in the trash now.").wait_for()
    await expect(page.locator("[data-action=restore]")).to_have_count(1)


async def test_a_clean_up_that_is_not_safe_yet_says_why(visit: Visit, shop: Shop, base: str) -> None:
    """In the language of the reader."""
    await shop.send({"1": ["a.jpg"]})
    await shop.put(f"{NORMAL}/a.jpg", f"{NORMAL}/old.jpg")
    await shop.report()
    page = await visit("/console/reports?table=unused", base=base, language="de")
    await page.get_by_role("button", name="Aufräumen").click()

    await page.get_by_text("Kein Bericht ist mindestens 0 Tage älter als der neueste.").wait_for()
    assert await page.locator("[data-action=clean]").count() == 0


async def test_invalid_lines_of_a_catalog_are_listed(visit: Visit, base: str) -> None:
    """Each with number, field and reason, in the language of the reader; a valid catalog removes them."""
    page = await visit("/console/reports", base=base, language="de")
    text = b"id,active,images\n1,ja,a.jpg\n2,1,b.jpg|c/d.jpg\n,1,e.jpg\n"
    await page.locator("#catalog-file").set_input_files({"name": "shop.csv", "mimeType": "text/csv", "buffer": text})
    await expect(page.locator(".lines tbody tr")).to_have_count(3)

    cells = await page.locator(".lines tbody tr").first.locator("th, td").all_inner_texts()
    assert cells == ["2", "active", '"ja" ist weder true noch false, weder 1 noch 0.']
    await expect(page.locator(".lines tbody tr").nth(1)).to_contain_text("images[1]")
    assert await violations(page) == []
    await page.locator("#catalog-file").set_input_files(
        {"name": "shop.ndjson", "mimeType": "", "buffer": b'{"id": "1", "active": true, "images": []}\n'}
    )
    await page.get_by_text("Der Katalog gilt jetzt: 1 Eintrag.").wait_for()
    await expect(page.locator(".lines")).to_have_count(0)


async def test_a_catalog_that_cannot_be_accepted_is_not_sent(visit: Visit, base: str) -> None:
    """An empty file, and one over the limit, which is 1 MiB here."""
    page = await visit("/console/reports", base=base)
    sent = []
    page.on("request", lambda request: sent.append(request.method))
    for size, message in ((0, "The file is empty."), (2**20 + 1, "The file is too large; up to 1 MB are allowed.")):
        file = FilePayload(name="shop.csv", mimeType="text/csv", buffer=b"x" * size)
        await page.locator("#catalog-file").set_input_files(file)
        await page.get_by_text(message).wait_for()
    assert "PUT" not in sent


async def test_an_upload_starts_again_when_the_server_is_back(visit: Visit, shop: Shop, base: str) -> None:
    """It does not have to be chosen again."""
    page = await visit("/console/reports", base=base)
    lines = b'{"id": "1", "active": true, "images": []}\n'
    await page.route("**/catalog/products*", lambda route: route.abort(), times=1)
    await page.locator("#catalog-file").set_input_files({"name": "a.ndjson", "mimeType": "", "buffer": lines})
    await page.get_by_text("The upload starts again when it is back.").wait_for()

    await page.get_by_text("The catalog is in effect: 1 entry.").wait_for()
    assert (await shop.ask("GET", "/catalog/products")).body["entries"] == 1


async def test_the_schedule_is_edited_with_its_next_times(visit: Visit, shop: Shop, base: str) -> None:
    """Simple ones without cron; an invalid one is not stored; it can be reset."""
    page = await visit("/console/reports", base=base)
    await page.get_by_text("Change", exact=True).click()
    await page.get_by_label("How often").select_option("By a cron expression")
    await page.get_by_label("Cron expression").fill("every night")
    await page.get_by_text("This is not a cron expression").wait_for()
    assert await violations(page) == []
    await page.get_by_label("How often").select_option("Every week")
    await page.get_by_label("Day of the week").select_option("Sunday")
    await page.get_by_label("Time of day").fill("23:15")
    assert await page.get_by_label("Time zone").input_value() == "Europe/Berlin"
    await expect(page.locator(".next-times")).to_contain_text("11:15")
    await page.get_by_role("button", name="Save").click()
    await page.get_by_text("Every Sunday at 11:15").wait_for()
    stored = (await shop.ask("GET", "/report/schedule")).body
    assert (stored["cron"], stored["timeZone"]) == ("15 23 * * 0", "Europe/Berlin")

    await page.get_by_text("Change", exact=True).click()
    assert await page.get_by_label("Day of the week").input_value() == "0"
    await page.get_by_role("button", name="As in the settings of the server").click()
    await expect(page.locator(".facts").last).to_contain_text("Only on request")
    assert (await shop.ask("GET", "/report/schedule")).body["isDefault"] is True


@pytest.mark.parametrize("width", [390, 1280, 2560])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "de"])
async def test_reports_can_be_used_by_everybody(
    visit: Visit, shop: Shop, base: str, width: int, theme: str, language: str
) -> None:
    """At each width, in both themes and languages: empty, with rows, and with everything unfolded."""
    page = await visit("/console/reports", base=base, width=width, theme=theme, language=language)
    assert (await violations(page), await overflow(page)) == ([], [])
    await make_reports(shop)
    await shop.ask("DELETE", "/report/products/unused?dryRun=false")
    await shop.ask("PUT", "/catalog/products", b"{}\n")
    for table in ("missing", "unused"):
        await page.goto(f"/console/reports?table={table}")
        await page.evaluate("document.querySelectorAll('main details').forEach(each => { each.open = true })")
        assert (await violations(page), await overflow(page)) == ([], [])


async def test_what_a_key_may_not_do_is_not_offered(
    visit: Visit, settings: Settings, stack: Resources, tmp_path: Path
) -> None:
    """It sees the reports of its types, and no buttons; the schedule only if it may read it over the API."""
    keys_file = tmp_path / "keys.toml"
    entries = {"reader": "products.read", "app": "app.read"}
    keys_file.write_text(
        "".join(key_entry(name, f"{name}-key-of-the-test", [each]) for name, each in entries.items())
    )
    gateway = GatewaySettings(api_key=API_KEY, token_secret=TOKEN_SECRET, api_keys_file=keys_file)
    async with shop_client.empty_shop(dataclasses.replace(settings, gateway=gateway), stack) as shop:
        await make_reports(shop)
        page = await visit("/console/reports", base=str(shop.client.make_url("/")), key="reader-key-of-the-test")
        await page.locator("#rows tbody tr").first.wait_for()

        assert await page.locator("main button, main input").count() == 0
        assert await page.get_by_role("link", name="Categories").count() == 0
        answer = await page.goto("/console/reports?type=categories")
        assert answer is not None
        assert answer.status == 401
        assert await page.goto("/console/reports")
        assert await page.get_by_role("heading", name="Schedule").count() == 1

        page = await visit("/console/reports", base=str(shop.client.make_url("/")), key="app-key-of-the-test")
        assert await page.get_by_role("heading", name="Catalog").count() == 1
        assert await page.get_by_role("heading", name="Schedule").count() == 0
