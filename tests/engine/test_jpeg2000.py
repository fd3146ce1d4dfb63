"""JPEG 2000: every kind is read as ISO/IEC 15444 has it; the code streams are made by OpenJPEG from known samples."""

import io
import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imageconverter.engine.decode import load, open_image
from imageconverter.engine.limits import Limits
from tests.testing import drawings, icc_profiles
from tests.testing.image_assertions import converted, difference, is_near, opened, psnr, result
from tests.testing.j2k_encoder import Samples, encode
from tests.testing.jp2_files import channels, codestream, color, jp2, mapping, palette, profile

_SRGB, _GRAY, _SYCC, _EYCC, _CMYK, _LAB, _BILEVEL = 16, 17, 18, 24, 12, 14, 0
_SIZE = (48, 32)


def _ramp(bits: int, *, signed: bool = False) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return 32 rows of 64 samples from the least to the greatest."""
    ramp = np.tile(np.round(np.linspace(0, (1 << bits) - 1, 64)).astype(np.int64), (32, 1))
    return ramp - (1 << (bits - 1)) if signed else ramp


def _flat(*values: int, bits: int = 8) -> bytes:
    """Encode 32 x 32 samples of one color."""
    return encode(*(Samples(np.full((32, 32), value), bits) for value in values))


def _pixel(data: bytes) -> Any:
    made = converted(data)
    return made.getpixel((16, 16)) if made.mode != "P" else made.convert("RGB").getpixel((16, 16))


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", [1, 2, 3, 4, 5, 8, 9, 10, 12, 14, 16, 20])
def test_all_depths_become_eight_bits(bits: int, signed: bool) -> None:  # noqa: FBT001
    """The greatest sample is white, the least is black."""
    samples = _ramp(bits, signed=signed)
    made = np.asarray(converted(encode(Samples(samples, bits, is_signed=signed))).convert("L"), np.float64)
    least = -(1 << (bits - 1)) if signed else 0

    assert np.abs(made - (samples - least) * 255 / ((1 << bits) - 1)).max() <= 0.51


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize("tile", [0, 32])
def test_pixels_are_exact(mode: str, tile: int) -> None:
    """In a bare code stream and in a file, also of several tiles."""
    image = drawings.cutout(_SIZE).convert(mode)
    stream = codestream(image, tile=tile)
    colors = len(mode.rstrip("A"))
    opacity = [channels(*((number, 0, number + 1) for number in range(colors)), (colors, 1, 0))]
    boxes = opacity if mode.endswith("A") else []

    assert difference(converted(stream, 48).convert(mode), image) == 0
    assert (
        difference(converted(jp2(stream, color(_SRGB if colors == 3 else _GRAY), *boxes), 48).convert(mode), image)
        == 0
    )


def test_components_of_different_depth() -> None:
    """Each is scaled by its own."""
    stream = encode(
        Samples(np.full((32, 32), 31), 5), Samples(np.full((32, 32), 32), 6), Samples(np.full((32, 32), 0), 12)
    )

    assert _pixel(jp2(stream, color(_SRGB))) == (255, 130, 0)


def test_the_order_of_the_channels_is_that_of_their_definition() -> None:
    """Blue, green, red, and opacity somewhere."""
    data = jp2(_flat(10, 128, 20, 200), color(_SRGB), channels((0, 0, 3), (1, 1, 0), (2, 0, 2), (3, 0, 1)))

    assert _pixel(data) == (200, 20, 10, 128)


def test_premultiplied_colors_are_divided_by_the_opacity() -> None:
    """100 of an opacity of 128 are 199."""
    data = jp2(_flat(100, 0, 64, 128), color(_SRGB), channels((0, 0, 1), (1, 0, 2), (2, 0, 3), (3, 2, 0)))

    assert is_near(_pixel(data), (199, 0, 128, 128), 1)


def test_an_extra_channel_is_no_opacity() -> None:
    """If its definition says something else."""
    data = jp2(_flat(100, 20, 64, 0), color(_SRGB), channels((0, 0, 1), (1, 0, 2), (2, 0, 3), (3, 65535, 65535)))

    assert _pixel(data) == (100, 20, 64)


@pytest.mark.parametrize("bits", [8, 12])
def test_palettes_are_applied(bits: int) -> None:
    """In the order that the mapping and the definition of the channels give; indices beyond the end are the last."""
    most = (1 << bits) - 1
    indices = np.tile(np.arange(32) // 8, (32, 1))
    stream = encode(Samples(indices, 4))
    table = palette([(most, 0, 0), (0, most, 0), (0, 0, most)], bits=bits)
    in_order = mapping((0, 1, 0), (0, 1, 1), (0, 1, 2))
    turned = mapping((0, 1, 2), (0, 1, 1), (0, 1, 0))
    swapped = channels((0, 0, 3), (1, 0, 2), (2, 0, 1))
    expected = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 255)]

    def columns(*boxes: bytes) -> list[Any]:
        made = converted(jp2(stream, color(_SRGB), table, *boxes)).convert("RGB")
        return [made.getpixel((x, 8)) for x in (4, 12, 20, 28)]

    assert columns(in_order) == expected
    assert columns(turned, swapped) == expected
    assert columns(turned) == [pixel[::-1] for pixel in expected]


def test_a_palette_can_have_opacity() -> None:
    """As its fourth column."""
    table = palette([(255, 0, 0, 255), (0, 255, 0, 0)])
    order = mapping((0, 1, 0), (0, 1, 1), (0, 1, 2), (0, 1, 3))
    defined = channels((0, 0, 1), (1, 0, 2), (2, 0, 3), (3, 1, 0))

    assert _pixel(jp2(encode(Samples(np.ones((32, 32)), 1)), color(_SRGB), table, order, defined))[3] == 0


@pytest.mark.parametrize("number", [_SYCC, _EYCC])
@pytest.mark.parametrize(("dx", "dy"), [(1, 1), (2, 1), (2, 2), (1, 2)])
@pytest.mark.parametrize("offset", [(0, 0), (3, 5)])
def test_luma_and_chroma_become_colors(number: int, dx: int, dy: int, offset: tuple[int, int]) -> None:
    """Also if the chroma has fewer samples, wherever the image begins on the grid."""
    right = np.full((32, 48, 3), (200, 80, 40), np.uint8)
    right[:, 24:] = (30, 120, 220)
    planes = np.asarray(Image.fromarray(right).convert("YCbCr")).transpose(2, 0, 1)
    left, top = offset
    columns, rows = np.arange(left, left + 48), np.arange(top, top + 32)
    coarse = np.ix_(rows[rows % dy == 0] - top, columns[columns % dx == 0] - left)
    chroma = [Samples(plane[coarse], 8, is_signed=False, dx=dx, dy=dy) for plane in planes[1:]]
    stream = encode(Samples(planes[0]), *chroma, offset=offset)
    made = np.asarray(converted(jp2(stream, color(number)), 48), np.int64)

    assert made.shape == (32, 48, 3)
    assert np.abs(made[:, :20] - right[:, :20].astype(np.int64)).max() <= 2
    assert np.abs(made[:, 28:] - right[:, 28:].astype(np.int64)).max() <= 2
    if dx * dy > 1:  # red, green and blue are never stored so
        assert difference(converted(stream, 48), Image.fromarray(made.astype(np.uint8))) == 0


def test_cmyk() -> None:
    """0 is no ink; with a profile as it says."""
    cyan = _flat(255, 0, 0, 0)

    assert _pixel(jp2(cyan, color(_CMYK))) == (0, 255, 255)
    assert is_near(_pixel(jp2(cyan, profile(icc_profiles.cmyk_profile(), 3))), (0, 158, 224), 20)


@pytest.mark.parametrize("bits", [8, 16])
def test_lab(bits: int) -> None:
    """With the default ranges, L from 0 to 100, a from -85 to 85, b from -75 to 125, or with others."""
    most = (1 << bits) - 1
    neutral = 1 << (bits - 1), (1 << (bits - 2)) + (1 << (bits - 3))

    assert is_near(_pixel(jp2(_flat(most, *neutral, bits=bits), color(_LAB))), (255, 255, 255), 2)
    assert is_near(_pixel(jp2(_flat(round(most * 0.5), *neutral, bits=bits), color(_LAB))), (119, 119, 119), 2)
    ranges = struct.pack(">6I", 100, 0, 255, 128, 255, 128)  # as in ICC profiles of 8 bits
    red = jp2(_flat(138, 209, 198), color(_LAB, ranges + b"\0D50"))
    assert is_near(_pixel(red), (255, 0, 0), 6)


def test_other_color_spaces() -> None:
    """Black can be 1; one that nothing here knows is a warning."""
    assert _pixel(jp2(_flat(0, bits=1), color(_BILEVEL))) == 255
    made = result(jp2(_flat(100, 20, 64), color(19)))
    assert opened(made.data).convert("RGB").getpixel((16, 16)) == (100, 20, 64)
    assert "color space 19" in made.warning


def test_profiles_are_applied() -> None:
    """Restricted ones and any."""
    for method in (2, 3):
        data = jp2(_flat(200, 100, 100), profile(icc_profiles.p3_profile(), method))
        assert is_near(_pixel(data), (215, 93, 97), 1)
    assert _pixel(jp2(_flat(200), profile(icc_profiles.p3_profile()), color(_GRAY))) == 200


def test_the_first_of_several_code_streams_is_read() -> None:
    """As in a JPX file, whose header may be in other boxes."""
    data = jp2(_flat(1, 2, 3), color(_SRGB), brand=b"jpx ", after=jp2(_flat(9, 9, 9))[12:])

    assert _pixel(data) == (1, 2, 3)


@pytest.mark.parametrize("offset", [(0, 0), (7, 3)])
def test_a_smaller_scale_shows_the_same(offset: tuple[int, int]) -> None:
    """It is decoded where a small output is asked for."""
    photo = drawings.photo((1000, 700))
    planes = np.moveaxis(np.asarray(photo), 2, 0)
    stream = encode(*(Samples(plane) for plane in planes), offset=offset)
    image, info = open_image(io.BytesIO(stream), Limits())
    region = load(image, info, at_least=(100, 70))

    assert image.size[0] < 300
    assert region[2:] == (250, 175)
    expected = photo.resize((100, 70), Image.Resampling.LANCZOS)
    assert psnr(converted(stream, 100), expected) > 35
    assert difference(converted(stream, 1000), photo) == 0
