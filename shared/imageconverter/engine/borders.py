"""The uniform borders of an image, as around a product on white or a scan."""

from PIL import Image, ImageChops

from imageconverter.engine.color import to_eight_bits
from imageconverter.engine.geometry import Box

_ROWS_AT_ONCE = 256
_PREMULTIPLIED = {"LA": "La", "RGBA": "RGBa"}
_STRETCHED = ("I", "F")  # to the range of all values, which a part does not have
_DIFFERENT = 255

_Pixel = tuple[int, ...]


def inner_box(image: Image.Image, tolerance: int) -> Box:
    """Return the part of *image* without its borders, or all of it if nothing would be left.

    A border is what differs by no more than *tolerance* levels in any channel from the color of most corners. Colors
    of transparent pixels do not count.
    """
    if image.mode in _STRETCHED:
        image = to_eight_bits(image)
    width, height = image.size
    color = _border_color(image, tolerance)
    found: Box | None = None
    for top in range(0, height, _ROWS_AT_ONCE):
        band = _comparable(image.crop((0, top, width, min(height, top + _ROWS_AT_ONCE))))
        box = _difference(band, color, tolerance).getbbox(alpha_only=False)
        if box is not None:
            part = (box[0], top + box[1], box[2], top + box[3])
            found = part if found is None else _bounding_box(found, part)
    return found or (0, 0, width, height)


def _border_color(image: Image.Image, tolerance: int) -> _Pixel:
    """Return the color of the corner that most corners are like; the order of corners decides between equal ones."""
    right, bottom = image.width - 1, image.height - 1
    corners = [_pixel(image, at) for at in ((0, 0), (right, 0), (0, bottom), (right, bottom))]

    def alike(color: _Pixel) -> int:
        return sum(max(abs(a - b) for a, b in zip(color, each, strict=True)) <= tolerance for each in corners)

    return max(corners, key=alike)


def _pixel(image: Image.Image, at: tuple[int, int]) -> _Pixel:
    return tuple(_comparable(image.crop((*at, at[0] + 1, at[1] + 1))).tobytes())


def _comparable(part: Image.Image) -> Image.Image:
    """Return a part of the image with one byte a channel, and its colors premultiplied by alpha."""
    part = to_eight_bits(part)
    return part.convert(_PREMULTIPLIED[part.mode]) if part.mode in _PREMULTIPLIED else part


def _difference(band: Image.Image, color: _Pixel, tolerance: int) -> Image.Image:
    """Return an image that is 0 where *band* differs by no more than *tolerance* levels from the *color*."""
    border = Image.frombytes(band.mode, (1, 1), bytes(color)).resize(band.size)
    level = [0] * (tolerance + 1) + [_DIFFERENT] * (_DIFFERENT - tolerance)
    return ImageChops.difference(band, border).point(level * len(color))


def _bounding_box(one: Box, other: Box) -> Box:
    return (min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3]))
