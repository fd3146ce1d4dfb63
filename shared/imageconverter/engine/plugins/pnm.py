"""PNM: PBM, PGM and PPM as text or bytes, PAM of any tuples, and PFM.

Specifications: Netpbm's manual, and Debevec's description of PFM. The values of a PFM from 0 to its scale become
black to white, as in ImageMagick and Netpbm; they count as no linear light.
"""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image

from imageconverter.engine import color, pnm
from imageconverter.engine.plugins.decoded import (
    DecodedImageFile,
    Levels,
    Samples,
    file_of,
    image_of,
    require_half,
    set_missing,
    to_levels,
)

FORMAT = "OWN-PNM"
_TUPLES = {"BLACKANDWHITE": "L", "GRAYSCALE": "L", "RGB": "RGB", "CMYK": "CMYK"}
_BY_CHANNELS = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
_ALPHA = "_ALPHA"
_TEXT_BLOCK = 1 << 20  # bytes of text that are read at once
_COMMENT, _SPACE = re.compile(rb"#[^\r\n]*"), re.compile(rb"\s")


class PnmImageFile(DecodedImageFile):
    """The first image of a PNM."""

    format = "PPM"
    format_description = "Netpbm"

    def _open(self) -> None:
        self._header = header = pnm.read(file_of(self))
        self._size = header.width, header.height
        self._colors, self._has_alpha = _meaning(header)
        self._mode = self._colors if not self._has_alpha else "LA" if self._colors == "L" else "RGBA"

    def _decode(self) -> Image.Image:
        header = self._header
        file_of(self).seek(header.pixels)
        if header.kind == b"P4":
            return self._bitmap()
        samples = self._text() if header.is_text else self._binary()
        if header.maximum:
            levels = to_levels(samples, header.maximum)
        else:
            levels = _levels_of_floats(samples[::-1], abs(header.scale))
        return self._image(~levels if header.kind == b"P1" else levels)

    def _bitmap(self) -> Image.Image:
        row = (self.width + 7) // 8
        data = file_of(self).read(row * self.height)
        self._check_rows(len(data) // row)
        return Image.frombytes("1", self.size, data.ljust(row * self.height, b"\0"), "raw", "1;I")

    def _binary(self) -> Samples:
        """Read samples of one, two or four bytes (row, column, channel)."""
        header = self._header
        kind = _sample_type(header)
        row = self.width * header.channels * kind.itemsize
        data = file_of(self).read(row * self.height)
        self._check_rows(len(data) // row)
        data = data.ljust(row * self.height, b"\0")
        return np.frombuffer(data, kind).reshape(self.height, self.width, header.channels)

    def _text(self) -> Samples:
        """Read samples that are decimal numbers; those of a bitmap need no space between them."""
        header, count = self._header, self.width * self.height * self._header.channels
        text = file_of(self).read()
        require_half(len(text), count)
        samples = np.zeros(count, _sample_type(header).newbyteorder("="))
        at = 0
        for numbers in _numbers(_COMMENT.sub(b"", text), is_bitmap=header.kind == b"P1"):
            found = np.minimum(numbers[: count - at], header.maximum)
            samples[at : at + found.size] = found
            at += found.size
            if at == count:
                break
        self._check_rows(at // (self.width * header.channels))
        return samples.reshape(self.height, self.width, header.channels)

    def _check_rows(self, rows: int) -> None:
        require_half(rows, self.height)
        set_missing(self, rows)

    def _image(self, levels: Levels) -> Image.Image:
        bands = len(self._colors) if self._colors != "L" else 1
        if self._colors != "CMYK" or not self._has_alpha:
            return image_of(levels[..., : bands + self._has_alpha], self._mode)
        image = color.to_srgb(image_of(levels[..., :bands], "CMYK"), None)
        image.putalpha(image_of(levels[..., bands], "L"))
        return image


def _sample_type(header: pnm.Header) -> np.dtype[Any]:
    if not header.maximum:
        return np.dtype("<f4" if header.scale < 0 else ">f4")
    return np.dtype("u1" if header.maximum <= 0xFF else ">u2")  # noqa: PLR2004 - of a byte


def _meaning(header: pnm.Header) -> tuple[str, bool]:
    """Return the mode of the colors, and whether alpha follows them; what is after that has no meaning."""
    name = header.tuple_type.removesuffix(_ALPHA)
    colors, has_alpha = _TUPLES.get(name, ""), header.tuple_type.endswith(_ALPHA)
    if not colors or header.channels < len(Image.new(colors, (1, 1)).getbands()) + has_alpha:
        mode = _BY_CHANNELS[min(header.channels, len(_BY_CHANNELS))]
        return mode.removesuffix("A"), mode.endswith("A")
    return colors, has_alpha


def _numbers(text: bytes, *, is_bitmap: bool) -> Iterator[Samples]:
    """Yield the numbers of *text* in blocks, up to what is none."""
    start = 0
    while start < len(text):
        end = len(text)
        if start + _TEXT_BLOCK < end and (space := _SPACE.search(text, start + _TEXT_BLOCK)):
            end = space.end()
        block = np.frombuffer(text, "u1", end - start, start)
        start = end
        digits = block - np.uint8(ord("0"))
        is_digit = digits <= 9  # noqa: PLR2004 - decimal
        strange = np.flatnonzero(~is_digit & ((block > ord(" ")) | (block == 0)))
        if strange.size:
            start, digits, is_digit = len(text), digits[: strange[0]], is_digit[: strange[0]]
        yield digits[is_digit] if is_bitmap else _decimal(digits, is_digit)


def _decimal(digits: Levels, is_digit: Samples) -> Samples:
    """Return the numbers that runs of *digits* are; of more than nine digits, the last nine."""
    edges = np.flatnonzero(np.diff(is_digit.astype("i1"), prepend=0, append=0))
    starts, ends = edges[::2], edges[1::2]
    values = np.zeros(starts.size, "i8")
    for place in range(min(int((ends - starts).max(initial=0)), 9)):
        at = ends - 1 - place
        inside = at >= starts
        values[inside] += digits[at[inside]] * np.int64(10**place)
    return values


def _levels_of_floats(samples: Samples, white: float) -> Levels:
    levels = np.empty(samples.shape, "u1")
    for number, row in enumerate(samples):
        shares = np.nan_to_num(row.astype("f8") / white, nan=0, posinf=1, neginf=0)
        levels[number] = np.clip(shares, 0, 1) * 255 + 0.5
    return levels


def _accept(prefix: bytes) -> bool:
    return pnm.is_pnm(prefix)


Image.register_open(FORMAT, PnmImageFile, _accept)
