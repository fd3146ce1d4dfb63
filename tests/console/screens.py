"""The pages of the console as they are shown in screenshots, and how alike two screenshots are."""

import io
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.async_api import FilePayload, Page
from skimage.color import rgb2lab

from tests.console.accessibility import until
from tests.console.convert_page import ended
from tests.console.furnished_shop import photograph

REFERENCES: Final = Path(__file__).parent / "references"
ILLUSTRATIONS: Final = Path(__file__).parents[2] / "docs" / "images" / "console"
WIDTHS: Final = (390, 1280, 2560)
THEMES: Final = ("light", "dark")
HEIGHT: Final = 900
FONT: Final = "DejaVu Sans"
"""The font of all screenshots: another one would move what is below a text."""
# Times and plots differ from one session to the next; the same size of everything else does not.
STYLE: Final = f"""
:root, .swagger-ui * {{ font-family: "{FONT}" !important; }}
:root {{ --mono: "DejaVu Sans Mono"; }}
"""
MASKED: Final = "time, .plot svg, svg.plot { visibility: hidden !important; }"
_CELL: Final = 16
"""Pixels of a screenshot, in each direction, that are one in its reference."""
_BLOCK: Final = 4
"""Pixels of a reference, in each direction, that are compared as one."""
_CLEAR: Final = 2.5
"""The difference of color (CIE 1976) in a block from which on something is missing, and not only another text."""
TOLERATED: Final = 3
"""Blocks that may differ clearly. A small panel has more."""

_ALL_VISIBLE_IMAGES: Final = """() => [...document.images].every(
  (each) => each.complete || !each.checkVisibility() || each.getBoundingClientRect().top > innerHeight)"""


class Screen(NamedTuple):
    """A page to be shown."""

    name: str
    path: str
    ready: str
    """What is there when all is shown, as a selector."""
    languages: tuple[str, ...] = ("en",)
    is_public: bool = False
    follow: str = ""
    """A link to be followed first, as a selector."""
    widths: tuple[int, ...] = WIDTHS
    drop: tuple[str, ...] = ()
    """Photographs that are converted first."""

    async def open(self, page: Page) -> None:
        """Open the page, and wait until all is shown."""
        await page.goto(self.path)
        if self.follow:
            await page.locator(self.follow).first.click()
        if self.drop:
            await page.locator("[data-files]").set_input_files([_payload(name) for name in self.drop])
            await ended(page, len(self.drop))
        await page.locator(self.ready).first.wait_for()
        await page.add_style_tag(content=STYLE)
        await until(page, _ALL_VISIBLE_IMAGES)


_BOTH: Final = ("en", "de")
SCREENS: Final = (
    Screen("login", "/console/login", ".login", _BOTH, is_public=True),
    Screen("convert", "/console/", ".row.ended", _BOTH, drop=("coffee.png", "chelsea.png", "astronaut.png")),
    Screen("convert-empty", "/console/", "main h1"),
    Screen("images", "/console/images?directory=products", "main img >> nth=5", _BOTH),
    Screen("runs", "/console/runs", "main table", _BOTH),
    Screen("runs-run", "/console/runs", ".figures", _BOTH, follow="main table a.name"),
    Screen("runs-new", "/console/runs/new", "main form"),
    Screen("reports", "/console/reports", ".figures", _BOTH),
    Screen("previews", "/console/previews", ".figures", _BOTH),
    # On the narrowest screen, how long a conversion took may need another line.
    Screen("formats", "/console/formats", ".formats", _BOTH, widths=WIDTHS[1:]),
    Screen("health", "/console/health", ".figures", _BOTH),
    Screen("docs", "/docs/imageconverter", ".opblock"),
    Screen("docs-examples", "/docs/examples", ".example"),
)


def _payload(name: str) -> FilePayload:
    return FilePayload(name=Path(name).with_suffix(".jpg").name, mimeType="image/jpeg", buffer=photograph(name))


def reference(screenshot: bytes) -> Image.Image:
    """Return what is kept of a screenshot: the mean color of each cell."""
    with Image.open(io.BytesIO(screenshot)) as image:
        size = (-(-image.width // _CELL), -(-image.height // _CELL))
        return image.convert("RGB").resize(size, Image.Resampling.BOX)


def differing(shown: Image.Image, expected: Image.Image) -> int:
    """Return the number of blocks whose colors differ clearly. Raises ValueError if the sizes differ."""
    distances = np.linalg.norm(_blocks(shown) - _blocks(expected), axis=2)
    return int((distances > _CLEAR).sum())


def _blocks(image: Image.Image) -> NDArray[np.float64]:
    size = (-(-image.width // _BLOCK), -(-image.height // _BLOCK))
    lab: NDArray[np.float64] = rgb2lab(np.asarray(image.convert("RGB").resize(size, Image.Resampling.BOX)) / 255)
    return lab
