"""The pages *Formats*: examples of what is configured, and a copy of the file to edit."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestClient, TestServer
from playwright.async_api import Page, expect

from imageconverter import keys
from imageconverter.engine import Target
from imageconverter.resources import Resources, open_resources
from imageconverter.settings import ConversionSettings, GatewaySettings
from services.gateway.app import create_app
from services.gateway.auth.api_keys import key_entry
from services.gateway.console.formats_drawing import drawing_of, scale_of
from tests.conftest import API_KEY, TOKEN_SECRET, MakeSettings
from tests.console.accessibility import overflow, violations
from tests.console.conftest import Visit
from tests.testing import image_files

PATH, EDIT = "/console/formats", "/console/formats/edit"
FORMAT = """\
[[format]]
id = "square"
name = "Square <b>one</b>"
type = "product"
targetDirectory = "products/square"
maxWidth = 60
maxHeight = 60
fit = "pad"
output = "webp"
quality = 70
focus = [0.5, 0.25]
"""


@pytest.fixture
async def source(resources: Resources) -> str:
    """The path of a source."""
    path = f"examples {uuid4().hex}/photo.jpg"
    await resources.store.put(keys.source(path), image_files.jpeg(size=(400, 300)), content_type="image/jpeg")
    return path


@pytest.fixture
async def own_formats(make_settings: MakeSettings, tmp_path: Path) -> AsyncIterator[str]:
    """The address of a gateway with a formats file of its own, and a key that may only read."""
    (tmp_path / "formats.toml").write_text(FORMAT)
    (tmp_path / "keys.toml").write_text(key_entry("reader", "key-of-reader", ["images.read"]))
    settings = make_settings(
        conversion=ConversionSettings(formats_file=tmp_path / "formats.toml"),
        gateway=GatewaySettings(api_key=API_KEY, api_keys_file=tmp_path / "keys.toml", token_secret=TOKEN_SECRET),
    )
    async with (
        open_resources(settings, retry_timeout=20) as resources,
        TestClient(TestServer(create_app(settings, resources))) as client,
    ):
        yield str(client.make_url("/"))


async def problem_free(page: Page) -> None:
    """Check that everybody can use the page, and that it does not scroll sideways."""
    assert await violations(page) == []
    assert await overflow(page) == []


def size(width: int, height: int) -> str:
    """Return a size as the page writes it."""
    return f"{width} \N{MULTIPLICATION SIGN} {height}"


def card(page: Page, name: str) -> Any:
    """Return the card of a format."""
    return page.get_by_role("article", name=name)


@pytest.mark.usefixtures("worker")
async def test_each_format_has_an_example_of_an_image_of_the_user(visit: Visit, source: str) -> None:
    """At its settings, with size, type and bytes; nothing is stored in the target tree."""
    page = await visit(f"{PATH}?path={source}")
    thumbnail = card(page, "thumbnail product")

    await expect(thumbnail).to_contain_text(size(200, 150), timeout=20_000)
    await expect(thumbnail.locator(".example figcaption")).to_contain_text("JPEG")
    await expect(thumbnail.get_by_role("img", name="Example")).to_be_visible()
    await expect(thumbnail.get_by_role("img", name="Fits inside")).to_be_visible()
    await problem_free(page)


@pytest.mark.usefixtures("worker")
async def test_another_image_is_chosen_by_its_path(visit: Visit, resources: Resources, source: str) -> None:
    """And a source that is none says so in the reader's language."""
    await resources.store.put(keys.source(f"{source}.png"), b"no image", content_type="image/png")
    page = await visit(f"{PATH}?path={source}", language="de")
    await page.get_by_text("Ein anderes Bild").click()
    await page.get_by_label("Pfad eines Quellbilds").fill(f"{source}.png")
    await page.get_by_role("button", name="Zeigen").click()
    await page.wait_for_url("**.png")

    await expect(card(page, "normal category").locator(".example figcaption")).to_contain_text("nicht möglich")


@pytest.mark.usefixtures("worker")
async def test_a_copy_is_checked_and_shown_while_it_is_written(visit: Visit, own_formats: str, source: str) -> None:
    """With line and field of each problem; the server keeps its formats."""
    page = await visit(f"{EDIT}?path={source}", base=own_formats)
    editor = page.get_by_label("Formats file (TOML)")
    assert await editor.input_value() == FORMAT
    square = card(page, "Square <b>one</b>")
    await expect(square).to_contain_text("WebP")
    await expect(square.locator(".options")).to_have_text("focus = [0.5, 0.25] quality = 70")
    await expect(square).to_contain_text(size(60, 60), timeout=20_000)

    await editor.fill(FORMAT.replace("maxWidth = 60", "maxWidth = 0"))
    await expect(page.get_by_text("1 problem: the file cannot be used yet.")).to_be_visible()
    await problem_free(page)
    await page.get_by_role("button", name="Line 6").click()
    selected = await editor.evaluate("each => each.value.slice(each.selectionStart, each.selectionEnd)")
    assert selected == "maxWidth = 0"
    await page.keyboard.type("maxWidth = 120")
    await expect(page.get_by_text("The file can be used: 1 format.")).to_be_visible()
    await expect(square.locator(".example")).to_contain_text(size(120, 60), timeout=20_000)

    await page.reload()
    await expect(page.get_by_text("Your changes from before are back.")).to_be_visible()
    await expect(square).to_contain_text(size(120, 60))
    await page.goto(PATH)
    await expect(square).to_contain_text(size(60, 60))


async def test_the_copy_is_downloaded_or_dropped(visit: Visit, own_formats: str) -> None:
    """A file with problems only after a question; starting over asks, too."""
    page = await visit(EDIT, base=own_formats, language="de")
    changed = FORMAT.replace("60", "90")
    await page.get_by_label("Formatdatei (TOML)").fill(changed)
    await expect(page.get_by_text(size(90, 90)).first).to_be_visible()
    async with page.expect_download() as download:
        await page.get_by_role("button", name="formats.toml herunterladen").click()
    file = await download.value
    assert file.suggested_filename == "formats.toml"
    assert Path(await file.path()).read_text() == changed

    await page.get_by_label("Formatdatei (TOML)").fill("[[format")
    await expect(page.get_by_text("1 Fehler: Die Datei ist noch nicht verwendbar.")).to_be_visible()
    await page.get_by_role("button", name="formats.toml herunterladen").click()
    await problem_free(page)
    await page.get_by_role("button", name="Abbrechen").click()
    await page.get_by_role("button", name="Neu beginnen").click()
    await page.get_by_role("dialog").get_by_role("button", name="Neu beginnen").click()
    await expect(page.get_by_label("Formatdatei (TOML)")).to_have_value(FORMAT)


async def test_a_reader_sees_formats_but_converts_no_draft(visit: Visit, own_formats: str, source: str) -> None:
    """What a key may not do is not offered."""
    page = await visit(f"{EDIT}?path={source}", base=own_formats, key="key-of-reader")
    await expect(card(page, "Square <b>one</b>")).to_be_visible()

    assert await page.locator(".example").count() == 0


@pytest.mark.parametrize("path", [PATH, EDIT])
@pytest.mark.parametrize("width", [390, 1280, 2560])
@pytest.mark.parametrize(("theme", "language"), [("light", "en"), ("dark", "de")])
async def test_everybody_can_use_it(
    visit: Visit, source: str, path: str, width: int, theme: str, language: str
) -> None:
    """At each width, in both themes and languages."""
    page = await visit(f"{path}?path={source}", width=width, theme=theme, language=language)
    await problem_free(page)


@pytest.mark.parametrize("fit", ["contain", "cover", "crop", "pad"])
@pytest.mark.parametrize("sides", [(1600, 1600), (200, 100), (None, 300), (16384, None), (1, 1)])
def test_boxes_are_drawn_to_scale(fit: Any, sides: tuple[int | None, int | None]) -> None:
    """The largest fills the drawing; an image is inside of its box, or covers it."""
    large = Target(max_width=1600, max_height=1000)
    target = Target(max_width=sides[0], max_height=sides[1], fit=fit)
    drawing = drawing_of(target, scale_of([large, target]))
    box, image = drawing.box, drawing.image

    assert box.width <= 240
    assert box.height <= 150
    if fit in ("contain", "pad", "crop"):
        assert image.width <= box.width
        assert image.height <= box.height
    else:
        assert image.width >= box.width
        assert image.height >= box.height
    assert drawing.is_padded == (fit == "pad")
    if sides == (200, 100):
        assert box.width / drawing_of(large, scale_of([large, target])).box.width == pytest.approx(1 / 8, rel=0.1)
