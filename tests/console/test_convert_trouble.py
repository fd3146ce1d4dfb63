"""The page *Convert* when something goes wrong, or is meant to."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp.test_utils import TestClient, TestServer
from playwright.async_api import Page, Request, Route, expect

from imageconverter import keys
from imageconverter.resources import Resources
from imageconverter.settings import GatewaySettings
from services.gateway.app import create_app
from services.gateway.auth.api_keys import key_entry
from tests.conftest import API_KEY, TOKEN_SECRET, MakeSettings
from tests.console.accessibility import violations
from tests.console.conftest import Visit
from tests.console.convert_page import drop, ended
from tests.testing import image_files
from tests.testing.faults import FaultProxy, Mode, fault_proxy

pytestmark = pytest.mark.usefixtures("worker")

CONVERT = "**/upload/convert?*"


async def uploads_of(resources: Resources, name: str) -> int:
    """Return the number of uploads of a file called *name*."""
    prefix = keys.source(f"{keys.UPLOADS}/")
    listed = [stored.key async for page in resources.store.list(prefix) for stored in page]
    return sum(key.endswith(f"/{name}") for key in listed)


@pytest.mark.parametrize("arrived", [True, False])
async def test_after_an_outage_it_goes_on_and_nothing_is_done_twice(
    visit: Visit, gateway: TestClient[Any, Any], resources: Resources, *, arrived: bool
) -> None:
    """Whether the request that was cut off had arrived at the server or not."""
    name = f"outage-{arrived}.png"
    async with fault_proxy(urlsplit(str(gateway.make_url("/"))).port or 0) as proxy:
        page = await visit(base=f"http://127.0.0.1:{proxy.port}")
        await drop(page, {"first.png": image_files.png()})
        await ended(page, 1)
        proxy.cut_once(b"upload/convert", passed_on=arrived)
        proxy.before_passing = refuse_soon(proxy, b"upload/convert")
        await drop(page, {name: image_files.png((300, 200))})
        await page.get_by_text("Waiting for the server").wait_for()
        await expect(page.locator(".row").last).to_contain_text("The server cannot be reached.")
        proxy.before_passing = None
        proxy.fail(Mode.PASS)
        await ended(page, 2)

    await expect(page.locator(".row .badge.good").last).to_be_visible()
    assert await page.locator(".row").last.locator(".tile").count() == 4
    assert await uploads_of(resources, name) == 1


def refuse_soon(proxy: FaultProxy, words: bytes) -> Callable[[bytes], Awaitable[None]]:
    """Return a function that lets *proxy* cut and refuse all connections soon after a client has sent *words*."""

    async def before_passing(data: bytes) -> None:
        if words in data:
            asyncio.get_running_loop().call_later(0.05, proxy.fail, Mode.REFUSE)

    return before_passing


async def test_who_has_to_log_in_again_loses_nothing(visit: Visit) -> None:
    """The upload waits for the login, and goes on after it."""
    page = await visit()
    await page.context.clear_cookies()
    await drop(page, {"patient.png": image_files.png()})
    await page.get_by_role("dialog").get_by_label("API key").fill(API_KEY)
    await page.get_by_role("dialog").get_by_role("button", name="Log in").click()
    await ended(page, 1)
    assert await page.locator(".tile").count() == 4


TOO_LARGE = """() => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([new Uint8Array(64 * 1024 * 1024 + 1)], "large.jpg"));
  document.querySelector(".drop").dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true }));
}"""


async def test_what_cannot_be_converted_is_not_sent(visit: Visit) -> None:
    """Empty and too large files, and those that begin as something else; each says why."""
    page = await visit()
    sent: list[str] = []

    def note(request: Request) -> None:
        sent.append(request.url)

    page.on("request", note)
    await page.evaluate(TOO_LARGE)
    await drop(page, {"empty.png": b"", "letter.jpg": b"%PDF-1.7\n", "drawing.svg": b"<svg xmlns='x'></svg>"})
    await ended(page, 4)

    assert await page.locator(".row .problem").all_text_contents() == [
        "The file is too large: it has 67.1\u00a0MB, the limit is 67.1\u00a0MB.",
        "The file is empty.",
        "This is not an image, but PDF.",
        "This is not an image, but SVG.",
    ]
    assert not [url for url in sent if "/upload/convert" in url]


async def test_a_broken_image_says_why_and_can_be_tried_again(visit: Visit) -> None:
    """Alone, or with all others that failed."""
    page = await visit(language="de")
    await drop(page, {"broken.png": image_files.png()[:200], "fine.png": image_files.png()})
    await ended(page, 2)
    await expect(page.get_by_text("Daraus ließ sich kein Bild machen:")).to_be_visible()
    await expect(page.get_by_text("1 Bild fertig", exact=True)).to_be_visible()

    refusal = {"error": "Service Unavailable", "reason": "x"}
    await page.route(CONVERT, lambda route: route.fulfill(status=500, json=refusal))
    await page.get_by_role("button", name="1 wiederholen").click()
    await expect(page.get_by_text("Das ist nicht möglich. (x)")).to_be_visible()
    await page.unroute(CONVERT)
    async with page.expect_response(CONVERT) as answered:
        await page.get_by_role("button", name="Noch einmal versuchen: broken.png").click()
    assert (await answered.value).status == 503
    assert await violations(page) == []


async def held(page: Page) -> list[Route]:
    """Hold back all conversions; returns the list of those that were requested."""
    routes: list[Route] = []

    async def hold(route: Route) -> None:
        routes.append(route)

    await page.route(CONVERT, hold)
    return routes


MANY = """(count) => {
  const transfer = new DataTransfer();
  for (let n = 0; n < count; n += 1) transfer.items.add(new File(["\\x89PNG\\r\\n\\x1a\\n"], `photo ${n}.png`));
  document.querySelector(".drop").dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true }));
}"""


async def test_ten_thousand_files_are_sent_a_few_at_a_time_and_shown_by_page(visit: Visit) -> None:
    """Only those of one page are elements of it; all that wait can be canceled."""
    page = await visit()
    routes = await held(page)
    await page.evaluate(MANY, 10_000)
    await expect(page.get_by_text("1 to 24 of 10,000")).to_be_visible(timeout=60_000)
    assert len(routes) == 4
    assert await page.locator(".row").count() == 24
    assert await page.locator("main *").count() < 2000

    await page.get_by_role("button", name="Next").click()
    await expect(page.get_by_text("photo 24.png")).to_be_visible()
    await page.get_by_role("button", name="Cancel", exact=True).click()
    await expect(page.get_by_text("10,000 not converted", exact=True)).to_be_visible()
    assert len(routes) == 4
    await page.get_by_role("button", name="Clear list").click()
    await expect(page.locator("#files")).to_be_hidden()


async def test_a_pause_lets_running_ones_end_and_starts_no_others(visit: Visit) -> None:
    """Until it goes on; an image that was removed is not sent at all."""
    page = await visit()
    routes = await held(page)
    await drop(page, {f"pause-{number}.png": image_files.png() for number in range(6)})
    await expect(page.locator(".row .badge", has_text="Sending")).to_have_count(4)
    await page.get_by_role("button", name="Pause", exact=True).click()
    for route in list(routes):
        await route.continue_()
    await expect(page.locator(".row.ended")).to_have_count(4)
    assert len(routes) == 4
    await page.get_by_role("button", name="Cancel: pause-4.png").click()
    await page.unroute(CONVERT)
    await page.get_by_role("button", name="Continue").click()
    await ended(page, 6)
    await expect(page.locator(".row-head .badge.good")).to_have_count(5)


async def test_a_key_sees_only_what_it_may_do(
    visit: Visit, make_settings: MakeSettings, resources: Resources, tmp_path: Path
) -> None:
    """Formats of the types that it may publish; without the permission to read, an output stands for the original."""
    file = tmp_path / "keys.toml"
    file.write_text(key_entry("publisher", "key-of-publisher", ["images.publish.products"]))
    gateway = GatewaySettings(api_key=API_KEY, api_keys_file=file, token_secret=TOKEN_SECRET, wait_seconds=20)
    async with TestClient(TestServer(create_app(make_settings(gateway=gateway), resources))) as client:
        page = await visit(key="key-of-publisher", base=str(client.make_url("/")))
        assert [each.strip() for each in await page.locator("legend").all_text_contents()] == ["Products"]
        await drop(page, {"scan.tiff": image_files.tiff((900, 600))})
        await ended(page, 1)

        original = page.locator(".tile img").first
        await expect(original).to_have_attribute("src", re.compile("^/content/products/large/scan.png"))
        await expect(page.get_by_role("button", name="Download all")).to_have_count(0)
        await page.context.close()


async def test_names_are_texts_whatever_they_contain(visit: Visit) -> None:
    """Markup, quotation marks, right-to-left and very long names; two of one name are kept apart."""
    page = await visit()
    markup = '<img src=x onerror="document.title=1">.png'
    names = [markup, "&lt;b&gt;.png", "شعار \u202eمتجر.png", "n" * 300 + ".png", "same.png", "SAME.png"]
    await drop(page, {name: image_files.png() for name in names})
    await ended(page, len(names))

    assert await page.locator(".row h3").all_text_contents() == names
    await expect(page.locator(".row-head .badge.good")).to_have_count(len(names))
    await expect(page.get_by_text("Stored as SAME-2.png")).to_be_visible()
    assert await page.title() == "Convert · imageconverter"
    assert await page.locator(".row h3 *").count() == 0
    await page.locator("summary[aria-label^='Copy code']").first.click()
    await page.get_by_role("button", name="Copy <img> with srcset").click()
    code = await page.evaluate("navigator.clipboard.readText()")
    assert code.count("<") == code.count(">") == 1
