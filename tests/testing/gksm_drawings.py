"""Items of GKS metafiles to draw, and the pixels of what was drawn."""

import io

import pytest
from PIL import Image

from rare_formats.gksm import GksmImageFile
from tests.testing.gksm_files import Item, xgks

WHITE, BLACK, RED, GREEN, BLUE = (255, 255, 255), (0, 0, 0), (255, 0, 0), (0, 255, 0), (0, 0, 255)
CYAN, MAGENTA, YELLOW = (0, 255, 255), (255, 0, 255), (255, 255, 0)
SOLID: Item = (38, 1)


def opened(data: bytes) -> Image.Image:
    """Open a metafile with the plugin."""
    return Image.open(io.BytesIO(data), formats=[GksmImageFile.format])


def drawn(*items: Item) -> Image.Image:
    """Open a metafile of *items* in the layout of XGKS."""
    return opened(xgks(*items))


def line(*numbers: float) -> Item:
    """Return a polyline through points (x, y, x, y …)."""
    return 11, len(numbers) // 2, *map(float, numbers)


def markers(*numbers: float) -> Item:
    """Return polymarkers at points (x, y, x, y …)."""
    return 12, len(numbers) // 2, *map(float, numbers)


def area(*numbers: float) -> Item:
    """Return a fill area with the corners (x, y, x, y …)."""
    return 14, len(numbers) // 2, *map(float, numbers)


def box(left: float, low: float, right: float, high: float) -> Item:
    """Return a rectangular fill area."""
    return area(left, low, right, low, right, high, left, high)


def text(x: float, y: float, text: str) -> Item:
    """Return a text at a position."""
    return 13, float(x), float(y), len(text), text


def color_at(image: Image.Image, x: float, y: float) -> tuple[int, ...]:
    """Return the pixel at normalized coordinates in an image whose window is the unit square."""
    pixel = image.getpixel((int(x * image.width), int((1 - y) * image.height)))
    assert isinstance(pixel, tuple)
    return pixel


def extent(image: Image.Image) -> tuple[float, float, float, float]:
    """Return the left, right, lower and upper bound of the pixels that are not white, in normalized coordinates."""
    left, top, right, bottom = image.convert("L").point(lambda level: 255 * (level < 200)).getbbox() or (0, 0, 0, 0)
    return left / 1024, right / 1024, 1 - bottom / 1024, 1 - top / 1024


def near(*numbers: float) -> object:
    """Match *numbers* within four pixels."""
    return pytest.approx(numbers, abs=0.004)
