"""The source images of docs/formats-cookbook.md: drawn by code, but for one photograph.

`python -m tests.documents.cookbook_sources` writes them to docs/images/sources.
"""

import io
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import skimage
from PIL import Image, ImageDraw, ImageFont

from tests.testing.fits_files import fits
from tests.testing.psd_files import PACKED, psd
from tests.testing.xcf_files import ZLIB, Layer, xcf

FOLDER = Path(__file__).parents[2] / "docs" / "images" / "sources"

_INK, _RED, _PAPER = (38, 50, 56), (214, 74, 58), (250, 247, 240)
_SMOOTH = 4  # drawings are reduced by this, which smooths their edges


def _coffee() -> bytes:
    """Return the photograph, with invented entries of a camera."""
    exif = Image.Exif()
    exif[0x010F], exif[0x8298] = "Camera Works", "CC0, Rachel Michetti"
    exif.get_ifd(0x8825).update({1: "N", 2: (0.0, 0.0, 0.0), 3: "E", 4: (0.0, 0.0, 0.0)})
    return _saved(_photograph(), "JPEG", quality=82, exif=exif)


def _cup() -> bytes:
    """Return a part of the photograph as it is used in a shop: small and of a moderate quality."""
    exif = Image.Exif()
    exif[0x8298] = "CC0, Rachel Michetti"
    return _saved(_photograph().resize((240, 160)), "JPEG", quality=75, optimize=True, progressive=True, exif=exif)


def _photograph() -> Image.Image:
    return Image.open(Path(skimage.__file__).parent / "data" / "coffee.png").convert("RGB")


def _logo() -> bytes:
    image, draw = _canvas((360, 160), (0, 0, 0, 0))
    draw.ellipse(_scaled(10, 10, 150, 150), fill=(*_RED, 255))
    draw.ellipse(_scaled(50, 50, 110, 110), fill=(0, 0, 0, 0))
    draw.text((168 * _SMOOTH, 40 * _SMOOTH), "LAMPS", font=_font(54), fill=(*_INK, 255))
    draw.text((170 * _SMOOTH, 104 * _SMOOTH), "since 1926", font=_font(22), fill=(*_RED, 255))
    return _saved(_reduced(image), "PNG", optimize=True)


def _lamp() -> bytes:
    """Return a product on white, larger than a page needs it."""
    image, draw = _canvas((900, 1200), (255, 255, 255))
    draw.ellipse(_scaled(250, 1070, 650, 1120), fill=(228, 228, 228))
    draw.rectangle(_scaled(438, 520, 462, 1090), fill=_INK)
    draw.ellipse(_scaled(310, 1050, 590, 1106), fill=_INK)
    draw.polygon(_scaled(330, 130, 570, 130, 720, 540, 180, 540), fill=_RED)
    for number in range(9):  # stripes
        left, right = 330 + 240 * number / 9, 180 + 540 * number / 9
        draw.line(_scaled(left, 130, right, 540), fill=(176, 50, 40), width=6 * _SMOOTH)
    draw.ellipse(_scaled(180, 515, 720, 565), fill=(246, 190, 90))
    draw.line(_scaled(560, 555, 560, 700), fill=(120, 120, 120), width=3 * _SMOOTH)
    draw.ellipse(_scaled(548, 695, 572, 719), fill=(180, 140, 60))
    return _saved(image.reduce(3), "PNG", optimize=True)


def _screenshot() -> bytes:
    image = Image.new("RGB", (560, 312), (236, 239, 241))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 560, 34), fill=_INK)
    draw.text((14, 7), "Shop administration", font=ImageFont.load_default(17), fill=(255, 255, 255))
    for row in range(5):
        top = 56 + 48 * row
        draw.rectangle((16, top, 543, top + 38), fill=(255, 255, 255), outline=(207, 216, 220))
        draw.text((28, top + 10), f"Order {4711 + row}", font=ImageFont.load_default(14), fill=_INK)
        draw.text((190, top + 10), f"{2 + row % 3} lamps", font=ImageFont.load_default(14), fill=_INK)
        paid = row % 3 != 1
        draw.rounded_rectangle((430, top + 8, 530, top + 30), 10, fill=(67, 160, 71) if paid else _RED)
        draw.text((462, top + 11), "paid" if paid else "open", font=ImageFont.load_default(13), fill=(255, 255, 255))
    return _saved(image, "PNG", optimize=True)


def _turn() -> bytes:
    """Return an animation: the photograph turns a little to and fro."""
    photograph = _photograph()
    turned = [photograph.rotate(8 * math.sin(math.tau * number / 8), Image.Resampling.BICUBIC) for number in range(8)]
    frames = [each.crop((60, 40, 540, 360)).resize((132, 88)) for each in turned]
    return _saved(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=120, loop=0)


def _icon() -> bytes:
    image, draw = _canvas((48, 48), (0, 0, 0, 0))
    draw.rounded_rectangle(_scaled(2, 2, 46, 46), 10 * _SMOOTH, fill=(*_RED, 255))
    draw.polygon(_scaled(18, 12, 30, 12, 38, 32, 10, 32), fill=(*_PAPER, 255))
    return _saved(_reduced(image), "PNG", optimize=True)


def _sky() -> bytes:
    """Return an image of a telescope: few and faint stars, 16 bits."""
    random = np.random.default_rng(7)
    y, x = np.mgrid[0:72, 0:96]
    light = 700 + 900 * np.exp(-(((x - 56) / 24) ** 2) - ((y - 34) / 13) ** 2)
    for column, row, height in random.random((40, 3)) * (96, 72, 3000):
        light += height * np.exp(-((x - column) ** 2 + (y - row) ** 2) / 2)
    return fits(light.astype("i2"))


def _layers() -> bytes:
    """Return a drawing of GIMP: a half transparent layer above another one."""
    below = np.full((100, 160, 4), (*_PAPER, 255), np.uint8)
    above = np.zeros((60, 60, 4), np.uint8)
    y, x = np.mgrid[0:60, 0:60]
    above[np.hypot(x - 29.5, y - 29.5) < 29] = (*_RED, 255)
    layers = [Layer(above, left=70, top=20, opacity=128), Layer(above, left=30, top=20), Layer(below)]
    return xcf(layers, (160, 100), compression=ZLIB)


def _inks() -> bytes:
    """Return a drawing of Photoshop in CMYK: four stripes of one ink each."""
    channels = np.full((4, 100, 160), 255, np.uint8)  # no ink
    for ink in range(4):
        channels[ink, 10:90, 10 + 36 * ink : 40 + 36 * ink] = 20
    return psd(channels, mode=4, compression=PACKED)


def _scan() -> bytes:
    """Return a gray image of 16 bits."""
    y, x = np.mgrid[0:64, 0:96]
    waves = np.sin(x / 9) * np.cos(y / 7)
    image = Image.fromarray((32768 + 30000 * waves * (1 - y / 140)).astype(np.uint16))
    return _saved(image, "TIFF", compression="tiff_adobe_deflate")


SOURCES: dict[str, Callable[[], bytes]] = {
    "coffee.jpg": _coffee,
    "cup.jpg": _cup,
    "logo.png": _logo,
    "lamp.png": _lamp,
    "screenshot.png": _screenshot,
    "turn.gif": _turn,
    "icon.png": _icon,
    "scan.tif": _scan,
    "layers.xcf": _layers,
    "inks.psd": _inks,
    "sky.fits": _sky,
}


def _canvas(size: tuple[int, int], color: tuple[int, ...]) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGBA" if len(color) == 4 else "RGB", (size[0] * _SMOOTH, size[1] * _SMOOTH), color)
    return image, ImageDraw.Draw(image)


def _reduced(image: Image.Image) -> Image.Image:
    return image.reduce(_SMOOTH)


def _scaled(*numbers: float) -> tuple[float, ...]:
    return tuple(number * _SMOOTH for number in numbers)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size * _SMOOTH)


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for file_name, draw_source in SOURCES.items():
        (FOLDER / file_name).write_bytes(draw_source())
