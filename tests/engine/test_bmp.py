"""BMP: headers, palettes, masks, run lengths, profiles, and files that are cut off."""

import struct
from typing import Any

import numpy as np
import pytest

from imageconverter.engine import Limits, probe
from imageconverter.errors import Unsupported
from tests.testing import icc_profiles, image_files
from tests.testing.bmp_files import ALPHA_BITFIELDS, BITFIELDS, JPEG, PNG, RLE4, RLE8, Samples, bmp, rle, rle24
from tests.testing.drawings import photo
from tests.testing.image_assertions import alpha, converted, difference, is_near, outcomes, result, target

_SIZE = (37, 23)
_COLORS = [(200, 0, 0), (0, 150, 0), (0, 0, 100), (250, 240, 230)]
_RGB = np.asarray(photo(_SIZE)).astype("u4")
_PIXELS = _RGB[..., 0] << 16 | _RGB[..., 1] << 8 | _RGB[..., 2]


def _indices(colors: int) -> Samples:
    rows, columns = np.mgrid[:9, :21]
    indices: Samples = (rows // 2 + columns // 3) % colors
    return indices


def _image(data: bytes) -> Samples:
    return np.asarray(converted(data).convert("RGB"))


def _expected(indices: Samples) -> Samples:
    colors: Samples = np.array(_COLORS, "u1")[indices]
    return colors


@pytest.mark.parametrize("header", [12, 16, 40, 52, 56, 64, 108, 124])
@pytest.mark.parametrize("bits", [1, 2, 4, 8, 24, 32])
def test_every_header_and_depth(header: int, bits: int) -> None:
    """Each with a palette that is shorter than its depth allows, and a gap before the pixels."""
    if bits > 8:
        assert difference(converted(bmp(_PIXELS, bits, header=header, gap=10)), photo(_SIZE)) == 0
        return
    indices = _indices(min(1 << bits, 4))
    palette = _COLORS[: 1 << bits]

    assert (
        _image(bmp(indices, bits, header=header, palette=palette, gap=10 * (header != 16))) == _expected(indices)
    ).all()


def test_rows_from_above_and_reserved_bytes() -> None:
    """A negative height means the former; nothing the latter."""
    assert difference(converted(bmp(_PIXELS, 24, top_down=True, reserved=0xFFFFFFFF)), photo(_SIZE)) == 0


def test_the_first_bitmap_of_an_array() -> None:
    """As OS/2 has them; offsets count from the beginning of the file."""
    data = bytearray(bmp(_PIXELS, 24))
    data[10:14] = struct.pack("<I", 54 + 14)

    assert difference(converted(struct.pack("<2sIIHH", b"BA", 40, 0, 0, 0) + bytes(data)), photo(_SIZE)) == 0


def test_an_index_outside_of_the_palette_is_black() -> None:
    """As in browsers."""
    image = _image(bmp(np.array([[0, 1, 200]]), 8, palette=_COLORS[:2]))

    assert image[0].tolist() == [[200, 0, 0], [0, 150, 0], [0, 0, 0]]


def test_a_gray_palette_makes_a_gray_image() -> None:
    """Also if its grays are in no order."""
    image = converted(bmp(np.array([[0, 1]]), 1, palette=[(255, 255, 255), (9, 9, 9)]))

    assert image.mode == "L"
    assert [image.getpixel((x, 0)) for x in (0, 1)] == [255, 9]


_MASKS: dict[str, tuple[int, tuple[int, ...]]] = {
    "555": (16, (0x7C00, 0x3E0, 0x1F)),
    "565": (16, (0xF800, 0x7E0, 0x1F)),
    "4444": (16, (0xF00, 0xF0, 0xF, 0xF000)),
    "1555": (16, (0x7C00, 0x3E0, 0x1F, 0x8000)),
    "5551": (16, (0xF800, 0x7C0, 0x3E, 1)),
    "231": (16, (0x30, 0xE, 1)),
    "24 bits": (24, (0xFF, 0xFF00, 0xFF0000)),
    "xBGR": (32, (0xFF, 0xFF00, 0xFF0000)),
    "RGBx": (32, (0xFF000000, 0xFF0000, 0xFF00)),
    "1010102": (32, (0x3FF, 0xFFC00, 0x3FF00000, 0xC0000000)),
    "ABGR": (32, (0xFF, 0xFF00, 0xFF0000, 0xFF000000)),
    "12 bits": (32, (0xFFF00000, 0xFFF00, 0xFF)),
}


@pytest.mark.parametrize(("bits", "masks"), _MASKS.values(), ids=_MASKS.keys())
@pytest.mark.parametrize("header", [40, 56, 124])
def test_any_masks(bits: int, masks: tuple[int, ...], header: int) -> None:
    """Each scaled to the full range, opaque where there is no alpha."""
    shares = np.random.default_rng(1).random((7, 9, len(masks)))
    values = [np.rint(shares[..., band] * (mask // (mask & -mask))) for band, mask in enumerate(masks)]
    pixels = sum(value.astype("u8") * (mask & -mask) for value, mask in zip(values, masks, strict=True))
    compression = ALPHA_BITFIELDS if len(masks) > 3 and header < 56 else BITFIELDS

    image = converted(bmp(np.asarray(pixels), bits, header=header, compression=compression, masks=masks)).convert(
        "RGBA"
    )

    levels = [value / (mask // (mask & -mask)) * 255 for value, mask in zip(values, masks, strict=True)]
    made = np.asarray(image).astype(float)
    for band, expected in enumerate(levels):
        assert np.abs(made[..., band] - expected)[made[..., 3] > 0].max() <= 1
    if len(masks) == 3:
        assert (made[..., 3] == 255).all()


@pytest.mark.parametrize("header", [40, 108, 124])
@pytest.mark.parametrize("compression", [0, BITFIELDS, ALPHA_BITFIELDS])
def test_alpha_that_is_0_everywhere_is_none(header: int, compression: int) -> None:
    """Programs write it so without meaning transparency."""
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    if header == 40 and compression == BITFIELDS:
        masks = masks[:3]  # type: ignore[assignment]

    image = converted(
        bmp(_PIXELS, 32, header=header, compression=compression, masks=masks if compression or header > 40 else ())
    )

    assert (alpha(image) == 255).all()


def test_the_high_byte_of_32_bits_is_no_alpha_without_a_mask() -> None:
    """It is reserved."""
    assert (alpha(converted(bmp(_PIXELS | 0x80000000, 32))) == 255).all()


def test_pixels_of_64_bits_are_linear_light() -> None:
    """In fixed point, and may be outside of 0 to 1."""
    pixel = struct.pack("<4h", -100, 1754, 9000, 4096)  # blue, green, red, alpha

    image = converted(bmp(pixel * 2, 64, size=(2, 1)))

    assert is_near(image.getpixel((1, 0)), (255, 128, 0, 128), 1)


@pytest.mark.parametrize("bits", [4, 8])
def test_run_lengths(bits: int) -> None:
    """Runs and pixels as they are."""
    indices = _indices(4)
    data = bmp(rle(indices, bits), bits, size=(21, 9), compression={4: RLE4, 8: RLE8}[bits], palette=_COLORS)

    assert (_image(data) == _expected(indices)).all()


def test_run_lengths_of_colors() -> None:
    """Only OS/2 has them."""
    data = bmp(rle24(np.asarray(photo(_SIZE))), 24, size=_SIZE, header=64, compression=4)

    assert difference(converted(data), photo(_SIZE)) == 0


def test_run_lengths_alternate_between_two_indices_of_4_bits() -> None:
    """From the first one in each run; what exceeds the row is lost."""
    data = bmp(b"\5\x12\0\0\xff\x30\0\1", 4, size=(6, 2), compression=RLE4, palette=_COLORS)

    assert (_image(data) == _expected(np.array([[3, 0, 3, 0, 3, 0], [1, 2, 1, 2, 1, 0]]))).all()


def test_what_run_lengths_skip_has_the_first_color() -> None:
    """By moves and early ends."""
    data = bmp(b"\1\1\0\2\1\1\1\2\0\1", 8, size=(4, 3), compression=RLE8, palette=_COLORS)

    assert (_image(data) == _expected(np.array([[0, 0, 0, 0], [0, 0, 2, 0], [1, 0, 0, 0]]))).all()


@pytest.mark.parametrize("stored", [JPEG, PNG])
def test_a_jpeg_or_png_inside(stored: int) -> None:
    """As for printers."""
    inside = {JPEG: image_files.jpeg(_SIZE), PNG: image_files.png(_SIZE)}[stored]

    assert difference(converted(bmp(inside, 0, size=_SIZE, compression=stored)), photo(_SIZE)) < 5


def test_an_embedded_profile_is_applied() -> None:
    """Unlike a linked one."""
    data = bmp(_PIXELS, 24, header=124, profile=icc_profiles.p3_profile())

    assert difference(converted(data), converted(image_files.png(_SIZE, profile=icc_profiles.p3_profile()))) == 0
    assert difference(converted(data.replace(b"DEBM", b"KNIL")), photo(_SIZE)) == 0


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"bits": 1, "compression": 3}, "Huffman-coded BMP"),
        ({"bits": 32, "compression": 11}, "CMYK BMP"),
        ({"bits": 48}, "48-bit BMP"),
    ],
)
def test_other_variants_are_refused_as_such(fields: dict[str, Any], name: str) -> None:
    """By the header."""
    with pytest.raises(Unsupported, match=f"not supported: {name}"):
        probe(bmp(bytes(64), size=(4, 4), **fields), Limits())


def test_rows_that_are_missing() -> None:
    """They are the upper ones."""
    whole = bmp(_PIXELS, 24)
    packed = bmp(rle(_indices(4), 8), 8, size=(21, 9), compression=RLE8, palette=_COLORS)

    assert result(whole[: -3 * 112], 64).warning == "The file is cut off: 13 % of the image are missing."
    assert result(packed[: len(packed) * 4 // 5], 64).warning.startswith("The file is cut off: ")


@pytest.mark.parametrize("compression", [0, RLE8])
def test_a_file_without_pixels_is_refused_before_memory_is_taken(compression: int) -> None:
    """However large its header says it is."""
    data = bmp(b"\1\1\0\0", 8, size=(9000, 9000), compression=compression, palette=_COLORS)

    with pytest.raises(Exception, match="The BMP file is broken"):
        outcomes(data, target())
