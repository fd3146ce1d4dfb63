"""The images of an icon or cursor of Windows, by the headers of the images themselves: the directory may be wrong."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from imageconverter.engine import png
from imageconverter.engine.geometry import Size

_DIRECTORY, _ENTRY = struct.Struct("<HHH"), struct.Struct("<BBBBHHII")
_ICON, _CURSOR = 1, 2
_MAX_IMAGES = 255  # no icon has more
_CORE, _INFO = struct.Struct("<IHHHH"), struct.Struct("<IiiHH")
_PNG_HEADER, _PNG_HEADER_AT = struct.Struct(">IIBB"), 16
_CHANNELS = {png.RGB: 3, png.GRAY_ALPHA: 2, png.RGB_ALPHA: 4}
_HEAD_BYTES = 32  # of an image


@dataclass(frozen=True)
class IconImage:
    """One of the images."""

    offset: int
    size: Size
    """Width and height in pixels."""
    bits: int
    """Of a pixel."""
    listed_bits: int
    """The same, as in an icon's directory."""
    is_png: bool

    @property
    def rank(self) -> tuple[int, int, int]:
        """Larger for a better image."""
        return self.size[0] * self.size[1], self.bits, self.listed_bits


def is_ico(head: bytes) -> bool:
    """Whether it holds 1 to 255 images: no icon has more, and listing 65,535 takes half a second."""
    if len(head) < _DIRECTORY.size:
        return False
    reserved, kind, count = _DIRECTORY.unpack_from(head)
    return reserved == 0 and kind in (_ICON, _CURSOR) and 0 < count <= _MAX_IMAGES


def read_size(source: IO[bytes]) -> Size:
    """Read width and height of the best image; 0 if there is none."""
    best = read_best(source)
    return best.size if best is not None else (0, 0)


def read_best(source: IO[bytes]) -> IconImage | None:
    """Return the largest image, of several the one of most colors, of those the first."""
    return max(_images(source), key=lambda image: image.rank, default=None)


def _images(source: IO[bytes]) -> Iterator[IconImage]:
    source.seek(0)
    directory = source.read(_DIRECTORY.size + _MAX_IMAGES * _ENTRY.size)
    _, kind, count = _DIRECTORY.unpack_from(directory)
    for number in range(min(count, _MAX_IMAGES)):
        at = _DIRECTORY.size + number * _ENTRY.size
        if at + _ENTRY.size > len(directory):
            return
        *_, listed_bits, _, offset = _ENTRY.unpack_from(directory, at)
        source.seek(offset)
        image = _image(source.read(_HEAD_BYTES), offset, listed_bits if kind == _ICON else 0)
        if image is not None and min(image.size) > 0:
            yield image


def _image(head: bytes, offset: int, listed_bits: int) -> IconImage | None:
    if head.startswith(png.SIGNATURE):
        width, height, depth, color_type = _PNG_HEADER.unpack_from(head.ljust(_HEAD_BYTES, b"\0"), _PNG_HEADER_AT)
        return IconImage(offset, (width, height), depth * _CHANNELS.get(color_type, 1), listed_bits, is_png=True)
    if len(head) < _INFO.size:
        return None
    is_core = int.from_bytes(head[:4], "little") == _CORE.size
    _, width, height, _, bits = (_CORE if is_core else _INFO).unpack_from(head)
    return IconImage(
        offset, (width, abs(height) // 2), bits, listed_bits, is_png=False
    )  # the height is that of pixels and mask
