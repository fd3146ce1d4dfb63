"""ThumbHashes in a browser: as the crate of their author draws them, in the document's page and in the console."""

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from typing import Any, Final
from uuid import uuid4

import pytest
from PIL import Image
from playwright.async_api import Browser, Page, Route, expect
from skimage import data as photographs
from thash import rgba_to_thumb_hash

from tests.console.conftest import Visit
from tests.console.test_images import entry, put
from tests.documents.code_blocks import ROOT, all_code_blocks
from tests.testing import image_files
from tests.testing.runs import Client

_SCRIPT: Final = ROOT / "services" / "gateway" / "console" / "assets" / "thumbhash.js"
_DATA_URL: Final = re.compile(r'^url\("data:image/png;base64,')
_SHOP: Final = "http://shop.example/"


class SlowImages:
    """Images that arrive when the test lets them."""

    def __init__(self) -> None:
        self.let = asyncio.Event()

    async def serve(self, route: Route) -> None:
        """Wait, and send an image."""
        await self.let.wait()
        await route.fulfill(body=image_files.png(size=(40, 30)), content_type="image/png")


@pytest.fixture
async def shop(browser: Browser) -> AsyncIterator[Page]:
    """A page of a shop, whose server has the script."""
    context = await browser.new_context()
    page = await context.new_page()
    script = _SCRIPT.read_text(encoding="utf-8")

    async def send_script(route: Route) -> None:
        await route.fulfill(body=script, content_type="text/javascript")

    await page.route(f"{_SHOP}thumbhash.js", send_script)
    yield page
    await context.close()


async def _send_page(page: Page, html: str) -> None:
    async def send(route: Route) -> None:
        await route.fulfill(body=f"<!doctype html>{html}", content_type="text/html")

    await page.route(_SHOP, send)
    await page.goto(_SHOP, wait_until="commit")


@pytest.mark.parametrize("kind", ["wide", "tall", "transparent"])
async def test_a_thumb_hash_is_drawn_as_by_its_author(shop: Page, kind: str) -> None:
    """Each pixel, but for rounding."""
    crate: Any = pytest.importorskip("fast_thumbhash", reason="there are no wheels for this Python or processor")
    image = Image.fromarray(photographs.astronaut()).resize((60, 90) if kind == "tall" else (90, 60))
    if kind == "transparent":
        image.putalpha(image.getchannel("G"))
    width, height = image.size
    rgba = list(image.convert("RGBA").tobytes())
    found = bytes(rgba_to_thumb_hash(width, height, rgba))
    await _send_page(shop, "")
    drawn = await shop.evaluate(
        "async (text) => { const { thumbHashPixels } = await import('/thumbhash.js');"
        " const { width, height, data } = thumbHashPixels(text); return { width, height, data: [...data] }; }",
        base64.b64encode(found).decode(),
    )
    expected_width, expected_height, expected = crate.thumb_hash_to_rgba(found)

    assert (drawn["width"], drawn["height"]) == (expected_width, expected_height)
    assert max(abs(one - other) for one, other in zip(drawn["data"], expected, strict=True)) <= 1


async def test_the_page_of_the_document_shows_a_thumb_hash_until_the_image_is_there(shop: Page) -> None:
    """Then nothing of it is left."""
    (block,) = [
        each for each in all_code_blocks() if each.document.name == "placeholders.md" and each.language == "html"
    ]
    images = SlowImages()
    await shop.route(f"{_SHOP}content/**", images.serve)
    await _send_page(shop, block.text)
    image = shop.locator("img")

    await expect(image).to_have_css("background-image", _DATA_URL)
    images.let.set()
    await expect(image).to_have_css("background-image", "none")
    assert await image.evaluate("(each) => each.naturalWidth") == 40


@pytest.mark.usefixtures("worker")
async def test_the_details_of_an_image_show_its_color_and_placeholder(visit: Visit, gateway: Client) -> None:
    """The placeholder until the thumbnail is there."""
    directory = f"placeholders {uuid4().hex[:8]}"
    await put(gateway, directory, "a.gif", data=image_files.animated_gif(frames=3))
    page = await visit(f"/console/images?directory={directory}")
    images = SlowImages()
    await page.route("**/thumbnails/**size=800", images.serve)
    await entry(page, "a.gif").click()
    preview = page.locator(".images-preview")

    await expect(preview).to_have_css("background-image", _DATA_URL)
    images.let.set()
    await expect(preview).not_to_have_css("background-image", _DATA_URL)
    facts = page.locator("#details dl")
    await expect(facts).to_contain_text("Color #")
    await expect(facts).to_contain_text("Frames3")
