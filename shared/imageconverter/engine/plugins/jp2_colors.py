"""The color spaces of JPEG 2000 that have a number (ISO/IEC 15444-1, annex I.5.3.3; 15444-2, M.11.7.3)."""

import struct
from enum import StrEnum

import numpy as np
from PIL import Image, ImageChops

from imageconverter.engine.j2k import Component
from imageconverter.engine.plugins.decoded import image_of

_LAB_DEFAULTS = 100, 0, 170, None, 200, None
_BLOCK = 64  # rows


class Space(StrEnum):
    """What the colors are."""

    GRAY = "gray"
    INVERTED_GRAY = "inverted gray"
    RGB = "RGB"
    YCC = "YCC"
    """As in JPEG, with the matrix of BT.601 and the full range."""
    YCC_VIDEO = "YCC with the range of video"
    YCC_709_VIDEO = "YCC with the matrix of BT.709 and the range of video"
    CMY = "CMY"
    CMYK = "CMYK"
    YCCK = "YCCK"
    LAB = "Lab"

    @property
    def mode(self) -> str:
        """The mode of an image without alpha."""
        match self:
            case Space.GRAY | Space.INVERTED_GRAY:
                return "L"
            case Space.CMYK | Space.YCCK:
                return "CMYK"
            case _:
                return "LAB" if self is Space.LAB else "RGB"

    @property
    def colors(self) -> int:
        """The number of its colors."""
        return {"L": 1, "CMYK": 4}.get(self.mode, 3)


# To red, green and blue from luma, blue and red difference; both have 8 bits, with a range of 219 and 224 levels.
_VIDEO = {
    Space.YCC_VIDEO: ((1.1644, 0, 1.5960), (1.1644, -0.3918, -0.8130), (1.1644, 2.0172, 0)),
    Space.YCC_709_VIDEO: ((1.1644, 0, 1.7927), (1.1644, -0.2132, -0.5329), (1.1644, 2.1124, 0)),
}


def combine(levels: list[Image.Image], space: Space, components: list[Component], parameters: bytes) -> Image.Image:
    """Make an image of the *levels* of the colors of *components*; *parameters* are those of CIELab."""
    invert = ImageChops.invert
    match space:
        case Space.GRAY:
            image = levels[0]
        case Space.INVERTED_GRAY:
            image = invert(levels[0])
        case Space.YCC:
            image = _from_ycc(levels)
        case Space.YCC_VIDEO | Space.YCC_709_VIDEO:
            image = _from_video(levels, space)
        case Space.CMY:
            image = invert(Image.merge("RGB", levels))
        case Space.CMYK:
            image = Image.merge("CMYK", levels)
        case Space.YCCK:
            image = Image.merge("CMYK", (*invert(_from_ycc(levels[:3])).split(), levels[3]))
        case Space.LAB:
            image = _lab(levels, components, parameters)
        case _:
            image = Image.merge("RGB", levels)
    return image


def _from_ycc(levels: list[Image.Image]) -> Image.Image:
    return Image.merge("YCbCr", levels).convert("RGB")


def _from_video(levels: list[Image.Image], space: Space) -> Image.Image:
    """Convert from luma and color differences in the range of video, some rows at a time."""
    luma, blue, red = (np.asarray(each) for each in levels)
    rgb = np.empty((*luma.shape, 3), np.uint8)
    matrix = np.array(_VIDEO[space], np.float32).T
    for at in range(0, len(rgb), _BLOCK):
        rows = slice(at, at + _BLOCK)
        block = np.dstack([luma[rows] - np.float32(16), blue[rows] - np.float32(128), red[rows] - np.float32(128)])
        rgb[rows] = np.clip(block @ matrix + 0.5, 0, 255)
    return image_of(rgb, "RGB")


def _lab(levels: list[Image.Image], components: list[Component], parameters: bytes) -> Image.Image:
    """Scale CIELab to the range that Pillow's mode has: L from 0 to 100, a and b from -128 to 127."""
    ranges = struct.unpack_from(">6I", parameters) if len(parameters) >= 24 else _LAB_DEFAULTS  # noqa: PLR2004
    planes = []
    for number, (level, least) in enumerate(zip(levels, (0, -128, -128), strict=True)):
        component = components[number]
        extent, offset = ranges[2 * number], ranges[2 * number + 1]
        if offset is None:  # the defaults of annex M.11.7.4.1
            offset = (1 << component.bits) * (1 / 2 if number == 1 else 3 / 8)
            offset -= (1 << (component.bits - 1)) * component.is_signed
        if component.is_signed:
            offset += 1 << (component.bits - 1)
        maximum = (1 << component.bits) - 1
        values = (np.arange(256) / 255 - offset / maximum) * extent
        scaled = values * (2.55 if number == 0 else 1) - least
        planes.append(level.point(list(np.clip(scaled + 0.5, 0, 255).astype(int))))
    return Image.merge("LAB", planes)
