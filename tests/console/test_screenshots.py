"""What all pages look like, at three widths and in both themes, compared with what they looked like before."""

import asyncio
import io
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import Browser, BrowserContext, Page

from tests.console.furnished_shop import furnish
from tests.console.screens import (
    FONT,
    HEIGHT,
    ILLUSTRATIONS,
    MASKED,
    REFERENCES,
    SCREENS,
    THEMES,
    TOLERATED,
    WIDTHS,
    Screen,
    differing,
    reference,
)
from tests.testing.running_stack import Stack, running_stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

_SETTLING_SECONDS = 1.0
_TRIES = 5
_MAX_ILLUSTRATION_BYTES = 150_000
# The screenshots that documents show, of each page and language.
_ILLUSTRATED = "-1280-light"
_ILLUSTRATED_AS_WELL = ("convert-1280-dark",)


@pytest.fixture(scope="module")
def stack(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A whole stack with a small shop."""
    del browser  # without it, nothing is started
    if shutil.which("fc-match") and FONT not in subprocess.check_output(["fc-match", FONT], text=True):
        pytest.skip(f"the font {FONT} is not installed")
    with running_stack(tmp_path_factory.mktemp("shop")) as started:
        furnish(f"http://127.0.0.1:{started.port}", started.api_key)
        yield started


@pytest.fixture
async def context(browser: Browser, stack: Stack) -> AsyncIterator[BrowserContext]:
    """A browser profile that may add styles to pages, logged in."""
    opened = await browser.new_context(
        base_url=f"http://127.0.0.1:{stack.port}",
        bypass_csp=True,
        reduced_motion="reduce",
        timezone_id="Europe/Berlin",
    )
    try:
        yield opened
    finally:
        await opened.close()


@pytest.fixture
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where the screenshots go: `--screenshots`, or else a temporary folder."""
    chosen = Path(request.config.getoption("--screenshots") or tmp_path)
    chosen.mkdir(parents=True, exist_ok=True)
    return chosen


async def log_in(context: BrowserContext, stack: Stack) -> None:
    """Log in with the key of the administrator."""
    answer = await context.request.post("/admin/api/v1/login?setCookie", data={"apiKey": stack.api_key})
    assert answer.ok


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)
async def test_a_page_looks_as_before(
    request: pytest.FixtureRequest, context: BrowserContext, stack: Stack, folder: Path, screen: Screen
) -> None:
    """`make screenshots` accepts what it looks like now."""
    if not screen.is_public:
        await log_in(context, stack)
    page = await context.new_page()
    is_accepted = request.config.getoption("--accept-screenshots")
    different = {}
    for language in screen.languages:
        await context.add_cookies([{"name": "language", "value": language, "url": f"http://127.0.0.1:{stack.port}"}])
        for width in screen.widths if language == "en" else WIDTHS[1:2]:
            await page.set_viewport_size({"width": width, "height": HEIGHT})
            await screen.open(page)
            for theme in THEMES:
                name = f"{screen.name}-{width}-{theme}" + ("" if language == "en" else f"-{language}")
                if is_accepted:
                    await accept(page, theme, folder / f"{name}.png")
                elif (count := await compared(page, theme, folder / f"{name}.png")) > TOLERATED:
                    different[name] = count
    assert different == {}, f"number of different blocks; the screenshots are in {folder}"


async def accept(page: Page, theme: str, file: Path) -> None:
    """Make the reference anew, and the illustration if documents show it."""
    await shoot(page, theme, file)
    await asyncio.sleep(_SETTLING_SECONDS)
    (await shoot(page, theme, file)).save(REFERENCES / file.name, optimize=True)
    if _ILLUSTRATED in file.stem or file.stem in _ILLUSTRATED_AS_WELL:
        save_illustration(file, ILLUSTRATIONS / f"{file.stem}.webp")


async def compared(page: Page, theme: str, file: Path) -> int:
    """Return how many blocks differ from the reference; an image may take some time to be loaded."""
    count = await differing_from(await shoot(page, theme, file), file.name)
    for _ in range(_TRIES):
        if count <= TOLERATED:
            break
        await asyncio.sleep(_SETTLING_SECONDS)
        count = await differing_from(await shoot(page, theme, file), file.name)
    return count


async def shoot(page: Page, theme: str, file: Path) -> Image.Image:
    """Write what *page* shows in *theme* to *file*; returns its reference, without what differs each time."""
    await page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]  # "light" or "dark"
    await page.screenshot(path=file, animations="disabled")
    return reference(await page.screenshot(animations="disabled", style=MASKED))


async def differing_from(shown: Image.Image, name: str) -> int:
    """Return how many blocks differ from the reference *name*."""
    with Image.open(REFERENCES / name) as expected:
        return differing(shown, expected)


def save_illustration(screenshot: Path, file: Path) -> None:
    """Write a screenshot as it is shown in documents."""
    with Image.open(screenshot) as image:
        data = io.BytesIO()
        image.convert("RGB").save(data, "WEBP", quality=82, method=6)
    assert len(data.getvalue()) < _MAX_ILLUSTRATION_BYTES
    file.write_bytes(data.getvalue())


@pytest.mark.parametrize("panel", [".navigation", ".card", ".figures", ".actions"])
async def test_a_missing_panel_is_noticed(context: BrowserContext, stack: Stack, folder: Path, panel: str) -> None:
    """Otherwise the comparison would prove nothing."""
    await log_in(context, stack)
    page = await context.new_page()
    await page.set_viewport_size({"width": 1280, "height": HEIGHT})
    await next(screen for screen in SCREENS if screen.name == "reports").open(page)
    await page.locator(panel).first.evaluate("(element) => { element.style.visibility = 'hidden'; }")
    shown = await shoot(page, "light", folder / "missing.png")

    assert await differing_from(shown, "reports-1280-light.png") > TOLERATED


def test_no_reference_and_no_illustration_is_left_over() -> None:
    """Each belongs to a page."""
    names = {screen.name for screen in SCREENS}
    for file in (*REFERENCES.iterdir(), *ILLUSTRATIONS.iterdir()):
        assert any(file.name.startswith(f"{name}-") for name in names), file
