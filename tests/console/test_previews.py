"""The page *Previews*: keys and contexts of the ImageConverter API, and clearing them."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import FormData
from aiohttp.test_utils import TestClient
from playwright.async_api import Page, expect

from imageconverter import keys
from imageconverter.previews.index import PreviewIndex
from imageconverter.resources import Resources
from tests.console.accessibility import overflow, violations
from tests.console.conftest import Visit
from tests.previews.test_index import key_of, put
from tests.testing import image_files

PATH = "/console/previews"

pytestmark = pytest.mark.usefixtures("index")


@pytest.fixture
async def index(resources: Resources) -> AsyncIterator[PreviewIndex]:
    """An index that is empty, and empty again after the test."""
    index = PreviewIndex(resources.redis, retry_timeout=20)
    for _ in range(2):
        found = [name async for name in resources.redis.scan_iter("ic:preview*", count=1000)]
        if found:
            await resources.redis.delete(*found)
        if _ == 0:
            yield index


async def fill(index: PreviewIndex) -> None:
    """Store sixty keys: some of them of the context `docs`, the others of `mail`."""
    for number in range(60):
        await put(index, key_of(number), context="docs" if number < 7 else "mail", source=1000, small=500)


async def problem_free(page: Page) -> None:
    """Check that everybody can use the page, and that it does not scroll sideways."""
    assert await violations(page) == []
    assert await overflow(page) == []


async def test_an_empty_cache_says_what_it_is_for(visit: Visit) -> None:
    """Instead of an empty table."""
    page = await visit(PATH)

    await expect(page.get_by_text("No previews yet")).to_be_visible()
    assert await page.get_by_role("button", name="Clear all").count() == 0
    await problem_free(page)


@pytest.mark.usefixtures("worker")
async def test_the_previews_of_a_key_are_shown(visit: Visit, gateway: TestClient[Any, Any]) -> None:
    """The images, their sizes and the context."""
    form = FormData()
    form.add_field("sourceImage", image_files.jpeg(size=(400, 300)), filename="a.jpg", content_type="image/jpeg")
    path = "/imageconverter/cacheAndGetImage/a-key/auto:200x150~cover@75?context=tenant-1"
    assert (await gateway.post(path, data=form)).status == 200
    page = await visit(PATH)
    row = page.get_by_role("row").filter(has_text="a-key")
    await row.locator("summary").press("Enter")

    await expect(row).to_contain_text(re.compile("200 . 150 · JPEG"))
    await expect(row).to_contain_text("tenant-1")
    image = row.locator("img")
    await expect(image).to_be_visible()
    assert await image.evaluate("each => each.decode().then(() => each.naturalWidth)") == 200
    await problem_free(page)


async def test_keys_are_found_by_typing_a_part(visit: Visit, index: PreviewIndex) -> None:
    """Without a reload; the address can be shared."""
    await fill(index)
    page = await visit(PATH)
    await expect(page.locator("#results tbody tr")).to_have_count(50)
    await page.get_by_role("link", name="Next page").click()
    await expect(page.locator("#results tbody tr")).to_have_count(10)
    await page.get_by_label("Search by a part of the key").fill(key_of(3)[:30])
    await expect(page.locator("#results tbody tr")).to_have_count(1)
    await expect(page.locator("#results")).to_contain_text(key_of(3))
    await page.wait_for_url(f"**/console/previews?search={key_of(3)[:30]}")
    await page.get_by_label("Search by a part of the key").fill("no such key")
    await expect(page.get_by_text("No such key")).to_be_visible()
    await problem_free(page)


async def test_a_search_of_many_keys_goes_on_by_itself(
    visit: Visit, index: PreviewIndex, resources: Resources
) -> None:
    """In short requests, until something is found."""
    names = {f"other-{number}": 1 for number in range(20_000)}
    await resources.redis.zadd(keys.PREVIEW_IDS, {keys.preview_id(name): score for name, score in names.items()})
    await put(index, "the-needle-in-it", small=10)
    page = await visit(PATH)
    await page.get_by_label("Search by a part of the key").fill("needle")

    await expect(page.locator("#results tbody tr")).to_have_count(1, timeout=20_000)
    await expect(page.locator("#results")).to_contain_text("the-needle-in-it")


async def test_a_key_a_context_and_all_are_cleared(visit: Visit, index: PreviewIndex) -> None:
    """In German; each asks first, and says what was done."""
    await fill(index)
    page = await visit(PATH, language="de")
    first = page.locator("#results tbody tr").first
    await first.get_by_role("button", name="Leeren").click()
    await page.get_by_role("button", name="Abbrechen").click()
    assert await index.count() == 60
    await first.get_by_role("button", name="Leeren").click()
    await problem_free(page)
    await page.get_by_role("dialog").get_by_role("button", name="Leeren").click()
    await expect(page.get_by_text("Der Schlüssel wurde geleert.")).to_be_visible()
    assert await index.count() == 59

    await page.get_by_role("link", name="docs 7").click()
    await expect(page.locator("#results tbody tr")).to_have_count(7)
    await page.get_by_role("button", name="Diesen Kontext leeren").click()
    await page.get_by_role("dialog").get_by_role("button", name="Leeren").click()
    await expect(page.get_by_text("7 Schlüssel wurden geleert.")).to_be_visible()
    assert await index.count() == 52

    await page.get_by_role("button", name="Alle leeren").click()
    await page.get_by_role("dialog").get_by_role("button", name="Leeren").click()
    await expect(page.get_by_text("Noch keine Vorschauen")).to_be_visible()
    assert await index.count() == 0


@pytest.mark.parametrize("width", [390, 1280, 2560])
@pytest.mark.parametrize(("theme", "language"), [("light", "en"), ("dark", "de"), ("light", "de"), ("dark", "en")])
async def test_everybody_can_use_it(visit: Visit, index: PreviewIndex, width: int, theme: str, language: str) -> None:
    """At each width, in both themes and languages."""
    await fill(index)
    page = await visit(PATH, width=width, theme=theme, language=language)
    await problem_free(page)


async def test_a_name_is_only_text(visit: Visit, index: PreviewIndex) -> None:
    """Of a key or context that an earlier release has accepted."""
    await put(index, "<img src=x onerror=alert(1)>", context="<b>&'\"")
    page = await visit(PATH)

    await expect(page.locator("#results")).to_contain_text("<img src=x onerror=alert(1)>")
    assert await page.locator("#results bdi img, #results b").count() == 0
    await page.get_by_role("link", name="<b>&'\" 1").click()
    await expect(page.locator("#results tbody tr")).to_have_count(1)
