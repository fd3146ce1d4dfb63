"""TIFF: what the samples mean."""

import math

import numpy as np
import pytest
from PIL import Image

from imageconverter.engine.color import to_srgb
from tests.engine.test_tiff_layouts import assert_shows
from tests.testing import icc_profiles, tiff_files
from tests.testing.image_assertions import converted, is_near, result
from tests.testing.tiff_files import (
    BLACK,
    CIELAB,
    CMYK,
    FLOAT,
    ICCLAB,
    PALETTE,
    RGB,
    SIGNED,
    WHITE,
    YCBCR,
    bars,
    tiff,
)

_STRAIGHT, _ASSOCIATED, _UNSPECIFIED = 2, 1, 0
_EXTRA_SAMPLES, _SUBSAMPLING = 338, 530
_LEVELS: dict[int, tuple[tuple[int, ...], tuple[int, ...]]] = {
    BLACK: ((200,), (200,) * 3),
    WHITE: ((55,), (200,) * 3),
    RGB: ((200, 100, 40), (200, 100, 40)),
    CMYK: ((0, 55, 55, 0), (255, 200, 200)),
    CIELAB: ((128, 0, 0), (119,) * 3),
}
"""Levels as stored, and the color that they are, by color space."""


def grays(data: bytes) -> list[int]:
    """Return the gray of each of four bars."""
    return [level for level, *_ in (converted(data).convert("RGB").getpixel((column, 4)) for column in (1, 6, 9, 14))]  # type: ignore[misc]


def of_floats(*values: float, more: dict[int, tiff_files.Values] | None = None, bits: int = 32) -> bytes:
    """Make a gray image of floating point numbers."""
    return tiff(bars(*values, dtype="f8"), photometric=BLACK, bits=bits, kind=FLOAT, more=more)


@pytest.mark.parametrize("bits", [16, 32, 64])
@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf, 1e30, -3.4e38])
def test_a_value_that_is_none_does_no_harm(odd: float, bits: int) -> None:
    """One pixel of it leaves the others as they are."""
    samples = bars(0.0, 0.25, 0.5, 1.0, dtype="f8")
    samples[0, 0] = odd if bits > 16 or not math.isfinite(odd) else math.copysign(6e4, odd)
    data = tiff(samples, photometric=BLACK, bits=bits, kind=FLOAT)

    assert grays(data) == [0, 64, 128, 255]


@pytest.mark.parametrize(
    ("values", "levels"),
    [
        ((0.0, 0.25, 0.5, 1.0), [0, 64, 128, 255]),  # as written
        ((0.2, 0.2, 0.4, 0.6), [51, 51, 102, 153]),
        ((0.0, 0.5, 1.0, 1.5), [0, 128, 255, 255]),  # brighter than white
        ((-0.1, 0.5, 0.5, 1.0), [0, 128, 128, 255]),
        ((0.0, 64.0, 128.0, 255.0), [0, 64, 128, 255]),  # stretched from here on
        ((0.0, 1000.0, 2000.0, 4000.0), [0, 64, 128, 255]),
        ((-1.0, -0.5, 0.0, 1.0), [0, 64, 128, 255]),
        ((0.0, 0.0, 2.0, 8.0), [0, 0, 64, 255]),
        ((7.0, 7.0, 7.0, 7.0), [0, 0, 0, 0]),
    ],
)
def test_floating_point_is_from_0_to_1_or_stretched(values: tuple[float, ...], levels: list[int]) -> None:
    """docs/formats.md has the rule."""
    assert grays(of_floats(*values)) == levels


def test_pixels_without_data_do_not_count() -> None:
    """GDAL writes which value they have."""
    assert grays(of_floats(-9999.0, 100.0, 200.0, 300.0, more={42113: b"-9999\0"})) == [0, 0, 127, 255]


@pytest.mark.parametrize("bits", [32, 64])
def test_wide_integers_use_the_range_of_their_type(bits: int) -> None:
    """They are stretched if all would be black."""
    highest = (1 << bits) - 1
    wide = tiff_files.bars(0, highest // 4, highest // 2, highest, dtype="u8")

    assert grays(tiff(wide, photometric=BLACK, bits=bits)) in ([0, 64, 127, 255], [0, 64, 128, 255])
    assert grays(tiff(bars(0, 64, 128, 255), photometric=BLACK, bits=bits)) == [0, 64, 128, 255]


@pytest.mark.parametrize("bits", [8, 16, 32, 64])
def test_signed_integers_are_stretched_if_any_is_negative(bits: int) -> None:
    """Otherwise they are as unsigned ones."""
    half = 1 << bits - 1
    steps = np.array([-half + step * (2 * half - 1) // 15 for step in range(16)], "i8")
    gradient = steps.reshape(1, 16, 1).repeat(8, axis=0)
    data = tiff(gradient, photometric=BLACK, bits=bits, kind=SIGNED)

    assert list(converted(data).get_flattened_data())[:16] == [17 * step for step in range(16)]
    positive = bars(0, half // 4, half // 2, half - 1, dtype="i8")
    assert_shows(
        tiff(positive, photometric=BLACK, bits=bits, kind=SIGNED), tuple((level,) * 3 for level in (0, 32, 64, 127))
    )


def test_bytes_that_are_signed_by_mistake_are_levels() -> None:
    """A smooth image has no jumps from -128 to 127."""
    gradient = np.arange(0, 256, 16, dtype="i8").reshape(1, 16, 1).repeat(8, axis=0)
    data = tiff(gradient, photometric=BLACK, kind=SIGNED)

    assert list(converted(data).get_flattened_data())[:16] == list(range(0, 256, 16))


@pytest.mark.parametrize("wide", [False, True], ids=["8 bits", "16 bits"])
@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("compression", [tiff_files.NONE, tiff_files.LZW])
def test_palettes_of_both_depths_are_read(bits: int, compression: int, *, wide: bool) -> None:
    """If no value is above 255, all are levels."""
    colors = ((255, 0, 0), (0, 128, 0), (64, 64, 64), (200, 200, 200))
    entries = np.zeros((3, 1 << bits), int)
    used = min(4, 1 << bits)
    entries[:, -used:] = np.array(colors[:used]).T * (257 if wide else 1)
    indices = bars(*((1 << bits) - used + number % used for number in range(4)), dtype="i4")
    data = tiff(
        indices,
        photometric=PALETTE,
        bits=bits,
        compression=compression,
        more={320: entries.ravel().tolist()},
    )

    assert_shows(data, tuple(colors[number % used] for number in range(4)))


@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("kind", [_STRAIGHT, _ASSOCIATED])
@pytest.mark.parametrize("photometric", [BLACK, WHITE, RGB, CMYK, CIELAB])
def test_alpha_is_kept_in_every_color_space(photometric: int, kind: int, bits: int, *, planar: bool) -> None:
    """Straight, or multiplied into the colors."""
    alpha = 128
    levels, right = _LEVELS[photometric]
    if kind == _ASSOCIATED:
        if photometric in (WHITE, CIELAB):
            pytest.skip("it is not defined what that means")
        levels = tuple(level * alpha // 255 for level in levels)
    samples = bars((*levels, alpha), (*levels, alpha), (*levels, alpha), (*levels, alpha), dtype="i4")
    if photometric == CIELAB:
        samples = samples * np.array([257, 256, 256, 257] if bits == 16 else 1)
    else:
        samples = samples * (257 if bits == 16 else 1)
    image = converted(tiff(samples, photometric=photometric, bits=bits, planar=planar, more={_EXTRA_SAMPLES: kind}))

    assert image.mode in ("LA", "RGBA")
    assert is_near(image.convert("RGBA").getpixel((8, 4)), (*right, alpha), 3)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("photometric", [BLACK, RGB])
def test_a_single_sample_more_is_alpha_if_nothing_says_what_it_is(photometric: int, bits: int) -> None:
    """Old writers leave the tag out."""
    samples = bars(*[(*_LEVELS[photometric][0], 0)] * 4, dtype="i4")
    image = converted(tiff(samples, photometric=photometric, bits=bits))

    assert image.convert("RGBA").getpixel((8, 4))[3] == 0  # type: ignore[index]


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("photometric", [BLACK, RGB, CMYK])
@pytest.mark.parametrize("planar", [False, True])
def test_samples_that_are_no_alpha_are_left_out_with_a_warning(photometric: int, bits: int, *, planar: bool) -> None:
    """Photoshop stores selections and spot colors like that."""
    levels, right = _LEVELS[photometric]
    samples = bars(*[(*levels, 0, 99)] * 4, dtype="i4") * (257 if bits == 16 else 1)
    data = tiff(samples, photometric=photometric, bits=bits, planar=planar, more={_EXTRA_SAMPLES: [0, 0]})
    image = converted(data)

    assert image.mode in ("L", "RGB")
    assert is_near(image.convert("RGB").getpixel((8, 4)), right, 3)
    assert "left out" in result(data).warning


def test_alpha_after_another_sample_is_found() -> None:
    """The tag says which one it is."""
    more = {_EXTRA_SAMPLES: [_UNSPECIFIED, _STRAIGHT]}
    data = tiff(bars(*[(200, 100, 40, 7, 128)] * 4), photometric=RGB, more=more)

    assert converted(data).getpixel((8, 4)) == (200, 100, 40, 128)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("photometric", [CIELAB, ICCLAB])
def test_lab_is_converted_from_both_encodings(photometric: int, bits: int) -> None:
    """a* and b* are in two's complement, or 128 more than they are."""
    lab = np.array([(50, 0, 0), (60, 60, 40), (80, -60, 50), (30, 20, -60)])
    whole = 255 if bits == 8 else 0xFF00 if photometric == ICCLAB else 65535
    unit = 1 << bits - 8
    samples = np.zeros((8, 16, 3), "i4")
    for number, (lightness, a, b) in enumerate(lab):
        shift = 128 if photometric == ICCLAB else 0
        samples[:, 4 * number : 4 * number + 4] = lightness * whole // 100, (a + shift) * unit, (b + shift) * unit
    pixels = [bytes((round(lightness * 2.55), a + 128, b + 128)) for lightness, a, b in lab]
    channels = [Image.frombytes("L", (4, 1), bytes(pixel[at] for pixel in pixels)) for at in range(3)]
    right = to_srgb(Image.merge("LAB", channels), None)

    assert_shows(
        tiff(samples, photometric=photometric, bits=bits),
        tuple(right.getpixel((number, 0)) for number in range(4)),  # type: ignore[misc]
        3,
    )


def test_cmyk_with_alpha_is_converted_by_its_profile() -> None:
    """As without alpha."""
    inks = (0, 255, 255, 0)
    more: dict[int, tiff_files.Values] = {34675: icc_profiles.cmyk_profile()}
    opaque = converted(tiff(bars(*[inks] * 4), photometric=CMYK, more=more))
    image = converted(tiff(bars(*[(*inks, 128)] * 4), photometric=CMYK, more=more | {_EXTRA_SAMPLES: _STRAIGHT}))

    assert image.getpixel((8, 4)) == (*opaque.getpixel((8, 4)), 128)  # type: ignore[misc]
    assert not is_near(image.getpixel((8, 4)), (255, 0, 0, 128), 8)


@pytest.mark.parametrize("across", [1, 2, 4])
@pytest.mark.parametrize("down", [1, 2, 4])
@pytest.mark.parametrize("compression", [tiff_files.NONE, tiff_files.LZW, tiff_files.DEFLATE])
@pytest.mark.parametrize("planar", [False, True])
def test_ycbcr_of_every_subsampling_is_read(across: int, down: int, compression: int, *, planar: bool) -> None:
    """Y of a block of pixels, then the Cb and Cr that they have in common; or three planes."""
    colors = ((255, 0, 0), (0, 128, 0), (64, 64, 64), (200, 200, 200))
    data = tiff_files.ycbcr(bars(*colors), (across, down), compression=compression, planar=planar)

    assert_shows(data, colors, 2)


def test_ycbcr_of_a_narrow_range_is_stretched() -> None:
    """Black and white of video are not 0 and 255."""
    data = tiff(
        bars((16, 128, 128), (126, 128, 128), (235, 128, 128), (235, 128, 128)),
        photometric=YCBCR,
        more={532: [16, 235, 128, 240, 128, 240], _SUBSAMPLING: [1, 1]},
    )

    assert_shows(data, ((0,) * 3, (128,) * 3, (255,) * 3, (255,) * 3), 2)
