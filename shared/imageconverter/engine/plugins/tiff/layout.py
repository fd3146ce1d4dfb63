"""How the samples of a TIFF are laid out in the file, and what they mean."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from imageconverter.engine.tiff_directory import (
    BITS,
    COMPRESSION,
    HEIGHT,
    PHOTOMETRIC,
    SAMPLE_FORMAT,
    SAMPLES,
    WIDTH,
    Directory,
)
from imageconverter.errors import ImageTooLarge

_FILL_ORDER, _STRIP_OFFSETS, _ROWS_PER_STRIP, _STRIP_COUNTS, _PLANAR, _PREDICTOR = 266, 273, 278, 279, 284, 317
_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_COUNTS, _EXTRA_SAMPLES, _SUBSAMPLING = 322, 323, 324, 325, 338, 530
_T4_OPTIONS, _JPEG_TABLES, _LERC_PARAMETERS = 292, 347, 50674

LZW, OLD_JPEG = 5, 6
LIBTIFF_ONLY = (OLD_JPEG, 32766, 32809, 32909, 34676, 34677)
"""JPEG as TIFF 6.0 had it, NeXT, ThunderScan, Pixar and SGI logarithmic."""
CCITT = (2, 3, 4, 32771)
JPEG = (7, 34892)
LERC = 34887
_PREDICTED = (LZW, 8, 32946, 34925, 34926, 50000)
JPEG2000 = (33003, 33004, 33005, 34712)
_APERIO_YCBCR = 33003
_MAX_SEGMENTS = 400_000
_MAX_SAMPLES = 1024  # of a pixel
_MAX_BYTES = 2 << 30  # of all samples, decoded
_MAX_SEGMENT_BYTES = 512 << 20
_ASSOCIATED, _STRAIGHT, _COREL = 1, 2, 999  # kinds of extra samples: two of alpha, and alpha as Corel Draw writes it

Kind = Literal["unsigned", "signed", "float"]
Color = Literal["gray", "white", "rgb", "palette", "cmy", "cmyk", "ycbcr", "cielab", "icclab", "itulab"]
"""Gray means that zero is black, white that it is white."""

_COLORS: dict[int, Color] = {
    0: "white", 1: "gray", 2: "rgb", 3: "palette", 4: "gray", 5: "cmyk", 6: "ycbcr", 8: "cielab", 9: "icclab",
    10: "itulab", 32844: "gray", 32845: "rgb",
}  # fmt: skip
_CHANNELS: dict[Color, int] = {"gray": 1, "white": 1, "palette": 1, "cmyk": 4}
_OF_THREE = (2, 6)  # RGB and YCbCr
_KINDS: dict[int, Kind] = {2: "signed", 3: "float"}


class Segment(NamedTuple):
    """A strip or tile, and where it goes."""

    left: int
    top: int
    width: int
    """Of what is stored, which may exceed the image."""
    height: int
    plane: int
    """Of the samples if each has its own segments, otherwise 0."""
    offset: int
    """Negative if the directory does not have it."""
    length: int
    """In bytes; negative if the directory does not have it."""

    @property
    def is_hole(self) -> bool:
        """Whether it is empty on purpose, as GDAL writes it: all samples are zero."""
        return self.length == 0 and self.offset >= 0


@dataclass(frozen=True)
class Layout:
    """All that is needed to decode the image of a directory."""

    width: int
    height: int
    bits: int
    kind: Kind
    big_endian: bool
    compression: int
    predictor: int
    reversed_bits: bool
    samples: int
    """Of a pixel."""
    planar: bool
    """Whether each sample has its own segments."""
    color: Color
    alpha: int | None
    """The number of the sample, counted from 0."""
    associated: bool
    """Whether the colors are multiplied by alpha."""
    subsampling: tuple[int, int]
    """Of Cb and Cr, horizontally and vertically."""
    converts_ycbcr: bool
    """Whether the decoder of JPEG makes RGB of YCbCr."""
    jpeg_tables: bytes
    t4_options: int
    lerc: int
    """The compression of LERC data: 1 deflate, 2 zstandard."""
    segments: tuple[Segment, ...]

    @property
    def channels(self) -> tuple[int, ...]:
        """The numbers of the samples that make the image."""
        colors = range(min(_CHANNELS.get(self.color, 3), self.samples))
        return (*colors,) if self.alpha is None else (*colors, self.alpha)

    @property
    def has_others(self) -> bool:
        """Whether there are samples that are neither color nor alpha."""
        return self.samples > len(self.channels)

    @property
    def stored_bytes(self) -> float:
        """The bytes of all samples, decoded."""
        return self.width * self.height * self.samples * self.bits / 8

    @property
    def segment_samples(self) -> int:
        """How many samples of a pixel are in one segment."""
        return 1 if self.planar else self.samples

    @property
    def is_subsampled(self) -> bool:
        """Whether Cb and Cr are stored with less samples than Y."""
        return self.color == "ycbcr" and self.subsampling != (1, 1)


def read_layout(directory: Directory) -> Layout:
    """Read the layout of the image; raises ValueError if it contradicts itself, ImageTooLarge if it is too large."""
    compression = directory.integer(COMPRESSION, 1)
    bits = directory.integer(BITS, 1)
    samples = directory.integer(SAMPLES, 0) or max(1, len(directory.integers(BITS)))
    if compression in JPEG and SAMPLES not in directory and directory.integer(PHOTOMETRIC, 0) in _OF_THREE:
        samples = 3
    if not 0 < samples <= _MAX_SAMPLES:
        raise ValueError(f"{samples} samples a pixel")
    planar = directory.integer(_PLANAR, 1) == 2 and samples > 1  # noqa: PLR2004 - separate planes
    color = _color(directory, samples, compression)
    converts_ycbcr = color == "ycbcr" and compression in JPEG and not planar
    alpha, associated = _alpha(directory, samples, color)
    kind = _KINDS.get(directory.integer(SAMPLE_FORMAT, 1), "unsigned")
    if kind == "signed" and color in ("cielab", "icclab", "itulab", "palette"):
        kind = "unsigned"  # only the color space says which of them are
    horizontal, vertical = (*directory.integers(_SUBSAMPLING), 2, 2)[:2]
    layout = Layout(
        width=directory.integer(WIDTH, 0),
        height=directory.integer(HEIGHT, 0),
        bits=bits,
        kind=kind,
        big_endian=directory.order == ">",
        compression=compression,
        predictor=directory.integer(_PREDICTOR, 1) if compression in _PREDICTED else 1,
        reversed_bits=directory.integer(_FILL_ORDER, 1) == 2,  # noqa: PLR2004 - the lowest bit first
        samples=samples,
        planar=planar,
        color="rgb" if converts_ycbcr else color,
        alpha=alpha,
        associated=associated,
        subsampling=(horizontal, vertical) if {horizontal, vertical} <= {1, 2, 4} else (1, 1),
        converts_ycbcr=converts_ycbcr,
        jpeg_tables=directory.data(_JPEG_TABLES),
        t4_options=directory.integer(_T4_OPTIONS, 0),
        lerc=(*directory.integers(_LERC_PARAMETERS), 0, 0)[1],
        segments=(),
    )
    return replace(layout, segments=() if compression in LIBTIFF_ONLY else tuple(_segments(directory, layout)))


def _color(directory: Directory, samples: int, compression: int) -> Color:
    color = _COLORS.get(directory.integer(PHOTOMETRIC, -1))
    if compression == _APERIO_YCBCR:
        return "ycbcr"
    if color is None:  # as libtiff guesses it
        color = "rgb" if samples >= 3 else "white" if compression in CCITT else "gray"  # noqa: PLR2004
    if color == "cmyk" and samples < 4:  # noqa: PLR2004
        return "cmy" if samples == 3 else "white"  # noqa: PLR2004 - a single ink, of which zero is paper
    if samples < _CHANNELS.get(color, 3):
        raise ValueError(f"{samples} samples a pixel are not enough")
    return color


def _alpha(directory: Directory, samples: int, color: Color) -> tuple[int | None, bool]:
    """Return the number of the alpha sample, if there is one, and whether the colors are multiplied by it."""
    extra = samples - _CHANNELS.get(color, 3)
    if extra <= 0:
        return None, False
    kinds = directory.integers(_EXTRA_SAMPLES)[:extra]
    if not kinds and extra == 1:  # what all readers take it for
        return samples - 1, False
    for place, kind in enumerate(kinds):
        if kind in (_ASSOCIATED, _STRAIGHT, _COREL):
            return samples - extra + place, kind == _ASSOCIATED
    return None, False


def _segments(directory: Directory, layout: Layout) -> Iterator[Segment]:
    width, height = layout.width, layout.height
    tiled = _TILE_WIDTH in directory and _TILE_HEIGHT in directory
    if tiled:
        across, down = directory.integer(_TILE_WIDTH, 0), directory.integer(_TILE_HEIGHT, 0)
    else:
        across, down = width, min(directory.integer(_ROWS_PER_STRIP, height) or height, height)
    if min(across, down, width, height) < 1:
        raise ValueError("it has no extents")
    if layout.stored_bytes > _MAX_BYTES:
        raise ImageTooLarge("The samples of the image need more memory than is allowed.")
    if across * down * layout.samples * layout.bits / 8 > max(_MAX_SEGMENT_BYTES, 0 if tiled else _MAX_BYTES):
        raise ValueError("its tiles are too large")
    planes = layout.samples if layout.planar else 1
    count = math.ceil(width / across) * math.ceil(height / down) * planes
    if count > _MAX_SEGMENTS:
        raise ImageTooLarge("The image has too many strips or tiles.")
    offsets = directory.integers(_TILE_OFFSETS if _TILE_OFFSETS in directory else _STRIP_OFFSETS, at_most=count)
    lengths = directory.integers(_TILE_COUNTS if _TILE_COUNTS in directory else _STRIP_COUNTS, at_most=count)
    if len(offsets) < count and layout.planar and len(offsets) == count // planes:
        planes = 1  # as some writers have it, which mean one strip of each plane after the other
    places = itertools.product(range(planes), range(0, height, down), range(0, width, across))
    for number, (plane, top, left) in enumerate(places):
        rows = down if tiled else min(down, height - top)
        offset = offsets[number] if number < len(offsets) else -1
        length = lengths[number] if number < len(lengths) else -1
        if layout.compression == 1 and offset > 0 and length != 0:
            length = _raw_length(layout, across, rows, plane)  # what is written is often wrong
        yield Segment(left, top, across, rows, plane, offset, length)


def _raw_length(layout: Layout, width: int, height: int, plane: int) -> int:
    """Return the number of bytes that a segment takes without compression."""
    horizontal, vertical = layout.subsampling if layout.is_subsampled else (1, 1)
    columns, rows = math.ceil(width / horizontal), math.ceil(height / vertical)
    if layout.planar:
        return (rows if plane else height) * math.ceil((columns if plane else width) * layout.bits / 8)
    if layout.is_subsampled:
        return rows * math.ceil(columns * (horizontal * vertical + 2) * layout.bits / 8)
    return height * math.ceil(width * layout.samples * layout.bits / 8)
