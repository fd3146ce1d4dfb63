"""The page of images: walking through a tree, selecting, and what can be done with images."""

import asyncio
import io
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestClient, TestServer
from playwright.async_api import Locator, Page, Route, expect

from imageconverter.resources import Resources
from imageconverter.settings import GatewaySettings
from services.gateway.app import create_app
from services.gateway.auth.api_keys import key_entry
from tests.conftest import ADMIN, API_KEY, TOKEN_SECRET, MakeSettings
from tests.console.accessibility import overflow, violations
from tests.console.conftest import Visit
from tests.testing import image_files
from tests.testing.runs import Client, finished, results

pytestmark = pytest.mark.usefixtures("worker", "no_run")

HOSTILE = ("<img src=x onerror=alert(1)>.png", "שולחן אדום.png", "x" * 240 + ".png", "100%25 &amp; #1?.png")


@pytest.fixture
def directory() -> str:
    """A directory that no other test uses."""
    return f"console {uuid4().hex[:8]}"


async def put(gateway: Client, directory: str, *names: str, data: bytes | None = None) -> None:
    """Store a source of each name."""
    for name in names:
        body = io.BytesIO(data or image_files.png())
        async with gateway.put(f"/images/sources/{directory}/{quote(name)}", data=body, headers=ADMIN) as response:
            assert response.status == 200


async def sources_in(gateway: Client, directory: str) -> list[str]:
    """Return the paths of all sources below a directory, without it."""
    query = {"directory": directory, "recursive": "true"}
    async with gateway.get("/images/sources", params=query, headers=ADMIN) as response:
        return [each["path"].removeprefix(f"{directory}/") for each in (await response.json())["items"]]


def entry(page: Page, name: str) -> Locator:
    """Return the entry with a name."""
    return page.get_by_role("option").filter(has=page.get_by_text(name, exact=True))


async def answer(page: Page, value: str, button: str) -> None:
    """Fill in the dialog that is open, and confirm it."""
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("textbox").fill(value)
    await dialog.get_by_role("button", name=button, exact=True).click()


async def test_images_are_renamed_moved_copied_and_deleted(visit: Visit, gateway: Client, directory: str) -> None:
    """And a deletion is undone."""
    await put(gateway, directory, "a.png", "b.png", "c.png")
    page = await visit(f"/console/images?directory={directory}")
    details = page.get_by_role("complementary", name="Details")

    await entry(page, "a.png").click()
    await details.get_by_role("button", name="Rename").click()
    await answer(page, "renamed.png", "Rename")
    await entry(page, "renamed.png").click()
    await details.get_by_role("button", name="Move").click()
    await answer(page, f"{directory}/new", "Move")
    await entry(page, "new").wait_for()
    await entry(page, "b.png").click()
    await details.get_by_role("button", name="Copy", exact=True).click()
    await answer(page, f"{directory}/new", "Copy")
    await page.get_by_text("1 copied.").wait_for()
    assert await sources_in(gateway, directory) == ["b.png", "c.png", "new/b.png", "new/renamed.png"]

    await entry(page, "c.png").click(modifiers=["Control"])
    await entry(page, "new").click(modifiers=["Control"])
    await expect(page.get_by_text("3 selected")).to_have_count(2)
    await details.get_by_role("button", name="Delete").click()
    await page.get_by_text("3 moved to the trash.").wait_for()
    assert await sources_in(gateway, directory) == []
    await page.get_by_role("button", name="Undo").click()
    await entry(page, "new").wait_for()
    assert await sources_in(gateway, directory) == ["b.png", "c.png", "new/b.png", "new/renamed.png"]


async def test_a_directory_is_made_renamed_and_walked_through(visit: Visit, gateway: Client, directory: str) -> None:
    """With the path above the list, and the history of the browser."""
    await put(gateway, directory, "old/1.png", "old/below/2.png")
    page = await visit(f"/console/images?directory={directory}", language="de")
    await page.get_by_role("button", name="Neuer Ordner").click()
    await answer(page, "leer", "Anlegen")
    await entry(page, "leer").wait_for()

    await entry(page, "old").click(modifiers=["Control"])
    await page.get_by_role("button", name="Umbenennen").click()
    await answer(page, "neu", "Umbenennen")
    await entry(page, "neu").click()
    await entry(page, "below").click()
    await entry(page, "2.png").wait_for()
    await page.get_by_role("link", name="neu").click()
    await entry(page, "1.png").wait_for()
    await page.go_back()
    await entry(page, "2.png").wait_for()
    assert await sources_in(gateway, directory) == ["neu/1.png", "neu/below/2.png"]


async def test_everything_can_be_done_with_the_keyboard(visit: Visit, gateway: Client, directory: str) -> None:
    """Moving, selecting, opening, renaming, deleting, going up."""
    await put(gateway, directory, "a.png", "b.png", "c/d.png", "e.png")
    page = await visit(f"/console/images?directory={directory}")
    await entry(page, "e.png").wait_for()
    await page.get_by_role("listbox").focus()
    await page.keyboard.press("End")
    await page.keyboard.press("F2")
    await page.keyboard.type("z")
    await page.keyboard.press("Enter")
    await entry(page, "z.png").wait_for()

    await page.get_by_role("listbox").focus()
    for key in ("Home", "Shift+ArrowRight", "Delete"):
        await page.keyboard.press(key)
    await expect(entry(page, "a.png")).to_have_count(0)
    assert await sources_in(gateway, directory) == ["c/d.png", "z.png"]
    for key in ("Home", "Enter"):
        await page.keyboard.press(key)
    await entry(page, "d.png").wait_for()
    await page.keyboard.press("Backspace")
    await entry(page, "z.png").wait_for()
    await page.keyboard.press("Control+a")
    await expect(page.get_by_role("option", selected=True)).to_have_count(2)
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("option", selected=True)).to_have_count(0)


async def test_details_show_what_was_made_of_an_image(visit: Visit, gateway: Client, directory: str) -> None:
    """A selection is converted; the copied URL is that of the converted image."""
    name = f"{uuid4().hex}.png"
    await put(gateway, directory, name, "other.png", data=image_files.png(size=(400, 300)))
    page = await visit(f"/console/images?directory={directory}")
    details = page.get_by_role("complementary", name="Details")
    await entry(page, name).click()
    await details.get_by_text("400 \N{MULTIPLICATION SIGN} 300").wait_for()
    await details.get_by_role("button", name="Convert").click()
    await page.get_by_role("dialog").get_by_role("button", name="Convert").click()
    await page.get_by_text("The run has started.").wait_for()
    await finished(gateway)
    assert {row["sourceFilename"] for row in await results(gateway)} == {name}

    await page.keyboard.press("Escape")
    await entry(page, name).click()
    await details.get_by_text("Up to date", exact=True).first.wait_for()
    await details.get_by_role("button", name="Copy URL of thumbnailProduct").click()
    await page.get_by_text("Copied").wait_for()
    assert (await page.evaluate("navigator.clipboard.readText()")).endswith(f"/products/thumbnail/{name}")

    await put(gateway, directory, name, data=image_files.palette_png())
    await page.get_by_role("button", name="Refresh").click()
    await details.get_by_text("Outdated", exact=True).first.wait_for()


@pytest.mark.parametrize("view", ["grid", "list"])
async def test_names_are_texts_whatever_they_contain(
    visit: Visit, gateway: Client, directory: str, view: str
) -> None:
    """Markup, other scripts, very long names, and what a URL would interpret."""
    await put(gateway, directory, *HOSTILE)
    page = await visit(f"/console/images?directory={directory}")
    await page.locator(f"[data-view={view}]").click()
    for name in HOSTILE:
        await entry(page, name).click()
        await expect(page.get_by_role("complementary").get_by_role("heading", level=2)).to_have_text(name)
        await page.get_by_text("SHA-256").wait_for()
    assert await page.locator("img[src=x]").count() == 0
    assert await overflow(page) == []


async def test_only_what_is_in_sight_is_in_the_document(visit: Visit, resources: Resources, directory: str) -> None:
    """Although names are loaded while the list is scrolled, to its end."""
    for number in range(650):
        await resources.store.put(f"source/{directory}/{number:04}.png", b"x", content_type="image/png")
    page = await visit(f"/console/images?directory={directory}")
    await entry(page, "0000.png").wait_for()
    await page.get_by_text("200 entries so far").wait_for()
    await page.get_by_role("listbox").focus()
    while await entry(page, "0649.png").count() == 0:
        await page.keyboard.press("End")
        await page.wait_for_timeout(50)
        assert await page.get_by_role("option").count() < 120
    await page.get_by_text("650 entries").wait_for()
    await page.keyboard.press("Home")
    await entry(page, "0000.png").wait_for()


async def test_a_million_entries_need_few_elements(visit: Visit) -> None:
    """Also where the list would be higher than browsers allow; each entry can be reached."""
    page = await visit("/console/images")
    script = await page.locator("script[src$='images.js']").get_attribute("src")
    shown = await page.evaluate(
        """async (module) => {
          const { EntriesView } = await import(module);
          const box = document.createElement("div");
          box.className = "images-box";
          document.querySelector("main").append(box);
          const render = (node, entry) => { node.textContent = entry; };
          const view = new EntriesView(box, { render, show: () => {}, onEnd: () => {} });
          view.setKind("list");
          view.setEntries(Array.from({ length: 1_000_000 }, (_, index) => String(index)));
          const texts = [];
          for (const index of [0, 499_999, 999_999, 500_000, 1]) {
            view.reveal(index);
            const node = document.querySelector(`.images-box:last-child #entry-${index}`);
            const [own, all] = [node.getBoundingClientRect(), box.getBoundingClientRect()];
            texts.push([node.textContent, own.top >= all.top - 1 && own.bottom <= all.bottom + 1]);
          }
          return [texts, box.querySelectorAll("*").length];
        }""",
        (script or "").replace("images.js", "images-view.js"),
    )
    assert shown[0] == [[str(index), True] for index in (0, 499_999, 999_999, 500_000, 1)]
    assert shown[1] < 50


async def test_a_search_finds_any_part_of_a_name(
    visit: Visit, make_settings: MakeSettings, resources: Resources, directory: str
) -> None:
    """In all directories below; a link to it works, and what is not found is said.

    By a gateway that has not listed the trees yet.
    """
    async with TestClient(TestServer(create_app(make_settings(), resources))) as fresh:
        await put(fresh, directory, "a/Chair 1.png", "b/c/armchair.png", "table.png")
        page = await visit(f"/console/images?directory={directory}", base=str(fresh.make_url("/")))
        await page.get_by_role("searchbox").fill("chair")
        await entry(page, f"{directory}/a/Chair 1.png").wait_for()
        await expect(page.get_by_role("option")).to_have_count(2)
        await page.reload()
        await entry(page, f"{directory}/b/c/armchair.png").wait_for()
        await page.get_by_role("searchbox").fill("<b>nothing")
        await page.get_by_text("No name contains “<b>nothing”.").wait_for()


async def test_what_takes_long_shows_its_progress_and_can_be_stopped(
    visit: Visit, gateway: Client, directory: str
) -> None:
    """What is done by then is done."""
    await put(gateway, directory, *(f"{number:02}.png" for number in range(20)))
    page = await visit(f"/console/images?directory={directory}")

    async def slowly(route: Route) -> None:
        if route.request.method == "DELETE":
            await asyncio.sleep(0.4)
        await route.continue_()

    await page.route("**/sources/**", slowly)
    await entry(page, "00.png").click()
    for key in ("Control+a", "Delete"):
        await page.keyboard.press(key)
    dialog = page.get_by_role("dialog", name="Deleting")
    await dialog.get_by_text("of 20").wait_for()
    await dialog.get_by_role("button", name="Cancel").click()
    await page.get_by_text("moved to the trash.").wait_for()
    await page.unroute_all(behavior="ignoreErrors")
    assert 0 < len(await sources_in(gateway, directory)) < 20


async def test_what_another_user_has_changed_is_said(visit: Visit, gateway: Client, directory: str) -> None:
    """Nothing is lost, and the list shows how it is now."""
    await put(gateway, directory, "a.png", "b.png")
    page = await visit(f"/console/images?directory={directory}")
    await entry(page, "a.png").click()
    await put(gateway, directory, "a.png", data=image_files.png(size=(7, 7)))
    await page.keyboard.press("Delete")
    await page.get_by_text("1 image was changed or deleted by another user.").wait_for()

    assert await sources_in(gateway, directory) == ["a.png", "b.png"]
    await entry(page, "a.png").click()
    await page.get_by_text("7 \N{MULTIPLICATION SIGN} 7").wait_for()


async def test_converted_images_are_shown_with_their_urls(visit: Visit, resources: Resources, directory: str) -> None:
    """The tree of what the shop shows cannot be changed here."""
    await resources.store.put(f"target/{directory}/a b.png", image_files.png(), content_type="image/png")
    page = await visit(f"/console/images?tree=target&directory={directory}")
    await entry(page, "a b.png").click()
    await page.get_by_role("button", name="Copy URL").click()
    assert (await page.evaluate("navigator.clipboard.readText()")).endswith(f"/{quote(directory)}/a%20b.png")
    await expect(page.get_by_role("button", name="Delete")).to_have_count(0)
    await expect(page.get_by_role("button", name="Upload")).to_have_count(0)


async def test_what_a_key_may_not_do_is_not_offered(
    visit: Visit, make_settings: MakeSettings, resources: Resources, tmp_path: Any, directory: str
) -> None:
    """A reader sees the images only."""
    from aiohttp.test_utils import TestClient, TestServer  # noqa: PLC0415

    file = tmp_path / "keys.toml"
    file.write_text(key_entry("reader", "key-of-reader", ["images.read"]))
    await resources.store.put(f"source/{directory}/a.png", image_files.png(), content_type="image/png")
    settings = make_settings(gateway=GatewaySettings(api_key=API_KEY, api_keys_file=file, token_secret=TOKEN_SECRET))
    async with TestClient(TestServer(create_app(settings, resources))) as client:
        base = str(client.make_url("/"))
        page = await visit(f"/console/images?directory={directory}", key="key-of-reader", base=base)
        await entry(page, "a.png").click()
        await page.get_by_text("SHA-256").or_(page.get_by_text("PNG")).first.wait_for()
        for name in ("Upload", "New directory", "Rename", "Move", "Delete", "Convert"):
            await expect(page.get_by_role("button", name=name)).to_have_count(0)
        await expect(page.get_by_role("link", name="Trash")).to_have_count(0)


@pytest.mark.parametrize("width", [390, 1280, 2560])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "de"])
async def test_the_page_can_be_used_by_everybody(
    visit: Visit, gateway: Client, directory: str, width: int, theme: str, language: str
) -> None:
    """At each width, in both themes and languages, with and without details."""
    await put(gateway, directory, "a.png", "b/c.png", *HOSTILE)
    page = await visit(
        f"/console/images?directory={directory}", width=width, height=900, theme=theme, language=language
    )
    await entry(page, "a.png").wait_for()
    assert await violations(page) == []
    assert await overflow(page) == []
    await entry(page, "a.png").click()
    await page.get_by_role("complementary").get_by_text("SHA-256").wait_for()
    assert await violations(page) == []
    assert await overflow(page) == []
