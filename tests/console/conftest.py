"""A real browser, logged in to a real gateway."""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import pytest
from aiohttp.test_utils import TestClient
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

from tests.conftest import API_KEY

Visit = Callable[..., Awaitable[Page]]

_CHROMIUM: Final = ("chromium", "chromium-browser", "google-chrome")
_WIDTH, _HEIGHT = 1280, 800
# What the browser prints about responses that a test provokes; scripts report those themselves.
_EXPECTED: Final = "Failed to load resource"


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Run Chromium without a window. Where `REQUIRE_CHROMIUM` is set, as in CI, it must be there."""
    executable = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    if executable is None:
        if os.environ.get("REQUIRE_CHROMIUM"):
            pytest.fail("Chromium is not installed")
        pytest.skip("Chromium is not installed")
    expect.set_options(timeout=20_000)  # the other tests keep the machine busy
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield started
        await started.close()


@pytest.fixture
async def visit(browser: Browser, gateway: TestClient[Any, Any]) -> AsyncIterator[Visit]:
    """Open a page of the console in a browser profile of its own, logged in with *key* unless that is None.

    At the end of the test, no page may have printed an error or broken the policy for what it may load.
    """
    problems: list[str] = []
    contexts = []

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(_EXPECTED):
            problems.append(message.text)

    async def open_page(
        path: str = "/console/",
        *,
        language: str = "en",
        theme: str = "light",
        width: int = _WIDTH,
        height: int = _HEIGHT,
        key: str | None = API_KEY,
        base: str = "",
        **options: Any,
    ) -> Page:
        context = await browser.new_context(
            base_url=base or str(gateway.make_url("/")),
            locale=language,
            timezone_id="Europe/Berlin",
            color_scheme=theme,  # type: ignore[arg-type]  # "light" or "dark"
            viewport={"width": width, "height": height},
            permissions=["clipboard-read", "clipboard-write"],
            **options,
        )
        contexts.append(context)
        context.set_default_timeout(60_000)
        if key is not None:
            answer = await context.request.post("/admin/api/v1/login?setCookie", data={"apiKey": key})
            assert answer.ok, await answer.text()
        page = await context.new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: problems.append(str(error)))
        await page.goto(path)
        return page

    try:
        yield open_page
    finally:
        for context in contexts:
            await context.close()
    assert problems == []
