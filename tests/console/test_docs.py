"""The API documentation: both OpenAPI documents in a viewer."""

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp.test_utils import TestClient
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, Request

from tests.conftest import API_KEY
from tests.console.accessibility import overflow
from tests.console.conftest import Visit

_MAX_BYTES = 600_000
# What axe-core finds in the viewer itself (Swagger UI 5.35.0): it has a <main> of its own, for example.
_OF_THE_VIEWER = {
    "color-contrast",
    "heading-order",
    "label",
    "landmark-main-is-top-level",
    "landmark-no-duplicate-main",
    "landmark-unique",
    "nested-interactive",
    "scrollable-region-focusable",
    "select-name",
}
# It would read imported styles by an inline one, which the policy forbids.
_AXE = {"preload": False}


async def shown(page: Page) -> None:
    """Wait until the viewer shows its document."""
    await page.locator(".opblock-tag").first.wait_for()


async def execute(page: Page, operation: str) -> tuple[str, str]:
    """Try out an operation without parameters; returns the status and the body that the viewer shows."""
    block = page.locator(f".opblock[id$={operation}]")
    await block.locator(".opblock-summary-control").click()
    await block.get_by_role("button", name="Try it out").click()
    await block.get_by_role("button", name="Execute").click()
    response = block.locator(".live-responses-table")
    status = await response.locator(".response-col_status").last.inner_text()
    return status.strip(), await response.locator("pre.microlight, .highlight-code pre").first.inner_text()


async def test_a_user_tries_out_a_request_with_the_login_of_the_console(visit: Visit) -> None:
    """Also after it has expired; no key is entered anywhere."""
    page = await visit("/docs")
    status, body = await execute(page, "listFormats")
    assert status == "200"
    assert "content.imageFormat.normalProduct" in {each["id"] for each in json.loads(body)["items"]}

    await page.context.clear_cookies(name="accessToken")
    status, _ = await execute(page, "cancelRun")
    assert status == "200"


async def test_everybody_may_read_and_is_led_to_the_login(visit: Visit) -> None:
    """Which leads back."""
    page = await visit("/docs/imageconverter", key=None)
    await shown(page)
    assert await page.get_by_role("heading", name="ImageConverter API").is_visible()
    assert await page.get_by_role("navigation", name="Pages").count() == 0

    await page.get_by_role("main").get_by_role("link", name="Log in").click()
    await page.get_by_label("API key").fill(API_KEY)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/docs/imageconverter")
    await shown(page)
    assert await page.get_by_role("navigation", name="Pages").count() == 1


async def test_an_expired_login_is_renewed(visit: Visit) -> None:
    """As on the pages of the console."""
    page = await visit("/docs")
    await page.context.clear_cookies(name="accessToken")
    await page.goto("/docs")
    assert "accessToken" in {each["name"] for each in await page.context.cookies()}


async def violated(page: Page, context: dict[str, list[list[str]]] | None = None) -> set[str]:
    """Return the rules that *page* violates."""
    found = await Axe().run(page, context=context, options=_AXE)
    return {rule["id"] for rule in found.response["violations"]}


@pytest.mark.parametrize("width", [390, 1280, 2560])
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_frame_of_the_documentation_can_be_used_by_everybody(visit: Visit, theme: str, width: int) -> None:
    """At each width, in both themes."""
    page = await visit("/docs", width=width, theme=theme, language="de" if width == 390 else "en")
    await shown(page)
    assert await overflow(page) == []
    assert await violated(page, {"exclude": [["#viewer"]]}) <= {"landmark-no-duplicate-main"}


async def test_what_is_wrong_with_the_viewer_is_known(visit: Visit) -> None:
    """It is the work of others; a new release must not make it worse."""
    page = await visit("/docs/imageconverter", theme="dark")
    await shown(page)
    assert await violated(page) <= _OF_THE_VIEWER


async def test_the_first_load_is_small(visit: Visit) -> None:
    """600 kB compressed with the document, from this server only."""
    page = await visit("/console/")
    host = urlsplit(page.url).netloc
    requests: list[Request] = []
    page.on("request", lambda each: requests.append(each))  # noqa: PLW0108 - Playwright sets an attribute of it
    await page.goto("/docs")
    await shown(page)
    sizes = [await each.sizes() for each in requests if each.url.startswith("http")]

    assert {urlsplit(each.url).netloc for each in requests if each.url.startswith("http")} == {host}
    assert 400_000 < sum(each["responseBodySize"] + each["responseHeadersSize"] for each in sizes) <= _MAX_BYTES


async def test_a_trailing_slash_leads_to_the_documentation(gateway: TestClient[Any, Any]) -> None:
    """And its policy is that of the console."""
    response = await gateway.get("/docs/")
    assert response.url.path == "/docs"
    console = await gateway.get("/console/login")
    assert response.headers["Content-Security-Policy"] == console.headers["Content-Security-Policy"]
