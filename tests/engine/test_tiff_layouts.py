"""TIFF: however the samples are laid out in the file, the image is the same."""

import itertools

import numpy as np
import pytest

from tests.testing import tiff_files
from tests.testing.image_assertions import converted, is_near
from tests.testing.tiff_files import BLACK, FLOAT, RGB, WHITE, Order, bars, tiff

_COLORS = ((255, 0, 0), (0, 128, 0), (64, 64, 64), (200, 200, 200))
_COLUMNS = (1, 6, 9, 14)  # one in each of the four bars
_DEPTHS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 24, 32)
_LAYOUTS = [
    {},
    {"rows": 3},
    {"tile": (16, 16)},
    {"planar": True},
    {"planar": True, "rows": 3},
    {"planar": True, "tile": (16, 16)},
    {"big": True},
]
_LOSSLESS = (
    tiff_files.NONE, tiff_files.LZW, tiff_files.DEFLATE, tiff_files.PACKBITS, tiff_files.LZMA, tiff_files.ZSTD,
)  # fmt: skip


def stored(levels: np.ndarray, bits: int) -> np.ndarray:
    """Return levels of 8 bits as samples of *bits*."""
    return np.asarray((levels.astype(np.int64) * ((1 << bits) - 1) + 127) // 255)


def read_back(data: bytes) -> list[tuple[int, ...]]:
    """Convert *data*, and return the color of each bar."""
    image = converted(data)
    assert image.size == (16, 8)
    rgb = image.convert("RGB")
    for column in range(image.width):  # nothing is shifted from row to row
        assert len({rgb.getpixel((column, row)) for row in range(image.height)}) == 1
    return [tuple(map(int, rgb.getpixel((column, 4)))) for column in _COLUMNS]  # type: ignore[arg-type]


def assert_shows(data: bytes, colors: tuple[tuple[int, ...], ...], tolerance: int = 1) -> None:
    """Check the color of each bar."""
    for seen, right in zip(read_back(data), colors, strict=True):
        assert is_near(seen, right, tolerance), (seen, right)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("layout", _LAYOUTS, ids=str)
@pytest.mark.parametrize("bits", [8, 12, 16, 24, 32, 64])
def test_colors_of_any_depth_come_out_right(bits: int, layout: dict[str, object], order: Order) -> None:
    """In one plane or several, in strips or tiles, in either order of bytes."""
    samples = stored(bars(*_COLORS), min(bits, 32)) << (32 if bits == 64 else 0)

    assert_shows(tiff(samples, photometric=RGB, bits=bits, order=order, **layout), _COLORS)  # type: ignore[arg-type]


@pytest.mark.parametrize(("bits", "photometric"), list(itertools.product(_DEPTHS, (BLACK, WHITE))))
def test_gray_of_any_depth_comes_out_right(bits: int, photometric: int) -> None:
    """Zero is black, or white where the color space says so; all other values lie between."""
    highest = (1 << bits) - 1
    values = [0, highest // 3, highest // 2, highest]
    data = tiff(bars(*values, dtype="i8"), photometric=photometric, bits=bits)
    levels = [round(255 * value / highest) for value in values]
    if photometric == WHITE:
        levels = [255 - level for level in levels]

    assert_shows(data, tuple((level,) * 3 for level in levels))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("predictor", [1, 2])
@pytest.mark.parametrize("bits", [8, 16, 32])
@pytest.mark.parametrize("compression", _LOSSLESS)
@pytest.mark.parametrize("planar", [False, True])
def test_every_lossless_compression_is_read(
    compression: int, bits: int, predictor: int, order: Order, *, planar: bool
) -> None:
    """With and without differences in place of values."""
    samples = stored(bars(*_COLORS), bits)
    data = tiff(
        samples,
        photometric=RGB,
        bits=bits,
        compression=compression,
        predictor=1 if compression in (tiff_files.NONE, tiff_files.PACKBITS) else predictor,
        order=order,
        planar=planar,
        rows=3,
        more={317: predictor},  # of no effect without a compression that it belongs to
    )

    assert_shows(data, _COLORS)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("predictor", [1, 2, 3])
@pytest.mark.parametrize("bits", [16, 24, 32, 64])
@pytest.mark.parametrize("planar", [False, True])
def test_floating_point_of_every_size_is_read(bits: int, predictor: int, order: Order, *, planar: bool) -> None:
    """Half, 24 bits, single and double, with the predictor that sorts their bytes."""
    if (bits, predictor) == (24, 2):
        pytest.skip("libtiff does not define it")
    data = tiff(
        bars(*_COLORS) / 255,
        photometric=RGB,
        bits=bits,
        kind=FLOAT,
        compression=tiff_files.DEFLATE,
        predictor=predictor,
        order=order,
        planar=planar,
    )

    assert_shows(data, _COLORS)


@pytest.mark.parametrize("compression", [tiff_files.WEBP, tiff_files.JPEG2000, tiff_files.JPEGXL, tiff_files.LERC])
@pytest.mark.parametrize("layout", [{}, {"rows": 4}, {"tile": (16, 16)}], ids=str)
def test_images_inside_are_read(compression: int, layout: dict[str, object]) -> None:
    """The compressions that are formats of their own."""
    assert_shows(tiff(bars(*_COLORS), photometric=RGB, compression=compression, **layout), _COLORS)  # type: ignore[arg-type]


def test_jpeg_of_twelve_bits_is_read() -> None:
    """Medical images have it."""
    data = tiff(bars(0, 1000, 2048, 4095, dtype="u2"), photometric=BLACK, bits=12, compression=tiff_files.JPEG)

    assert_shows(data, ((0,) * 3, (62,) * 3, (128,) * 3, (255,) * 3), 4)


@pytest.mark.parametrize("compression", [tiff_files.NONE, tiff_files.LZW, tiff_files.DEFLATE])
@pytest.mark.parametrize("bits", [1, 4, 8, 16])
def test_bits_in_the_other_order_are_read(bits: int, compression: int) -> None:
    """The lowest bit of a byte is the first pixel."""
    highest = (1 << bits) - 1
    data = tiff(
        bars(0, highest, 0, highest, dtype="i4"), photometric=BLACK, bits=bits, compression=compression, reverse=True
    )

    assert_shows(data, tuple((level,) * 3 for level in (0, 255, 0, 255)))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("bits", [8, 16])
def test_the_orientation_is_applied(orientation: int, bits: int) -> None:
    """The first stored row is at the top, at the bottom or at a side."""
    samples = np.zeros((4, 8, 1), np.int64)
    samples[0, 0] = (1 << bits) - 1
    image = converted(tiff(samples, photometric=BLACK, bits=bits, more={274: orientation}))
    width, height = (8, 4) if orientation < 5 else (4, 8)
    column, row = [
        (0, 0), (width - 1, 0), (width - 1, height - 1), (0, height - 1),
        (0, 0), (width - 1, 0), (width - 1, height - 1), (0, height - 1),
    ][orientation - 1]  # fmt: skip

    assert image.size == (width, height)
    assert image.getpixel((column, row)) == 255
    assert sum(image.tobytes()) == 255


def test_a_preview_before_the_image_is_not_taken_for_it() -> None:
    """The first directory may say that it is a smaller copy of a following one."""
    preview = tiff(bars(0, 0, 0, 0, width=4, height=2), photometric=BLACK, more={254: 1})
    image = tiff(bars(*_COLORS), photometric=RGB)
    assert_shows(tiff_files.followed_by(preview, image), _COLORS)
    assert converted(tiff_files.followed_by(image, preview)).size == (16, 8)
    assert converted(preview).size == (4, 2)
