"""Colors as signaled: each statement in each type of file, against numbers computed from the specifications."""

import io
from collections.abc import Callable

import pytest
from PIL import Image

from imageconverter.engine.color import SourceColor
from imageconverter.engine.color.png_colors import read_png
from imageconverter.engine.color.statements import Statements
from imageconverter.engine.decode import open_image
from imageconverter.engine.limits import Limits
from tests.testing import color_signals as files
from tests.testing import colorimetry, icc_profiles
from tests.testing.image_assertions import converted, result
from tests.testing.image_files import SOURCES

_MAX_DIFFERENCE = 1.0  # CIEDE2000, in the mean
_P3, _SRGB = files.P3_CHROMATICITIES, files.SRGB_CHROMATICITIES
_SIDE = 72


def _is_as(data: bytes, primaries: int, exponent: float = 0.0, image: Image.Image | None = None) -> bool:
    expected = colorimetry.to_srgb(image or files.chart(), primaries, exponent)
    return colorimetry.color_difference(converted(data, _SIDE), expected) < _MAX_DIFFERENCE


def _with(*chunks: files.Chunk) -> bytes:
    return files.png(files.chart(), *chunks)


# --- the kinds ----------------------------------------------------------------------------------
_P3_FILES: dict[str, Callable[[bytes], bytes]] = {
    **{
        kind: lambda profile, kind=kind: files.with_profile(files.chart(), kind, profile)  # type: ignore[misc]
        for kind in ("JPEG", "PNG", "WEBP", "AVIF", "TIFF")
    },
    "BMP": lambda profile: files.bmp(files.chart(), profile=profile),
    "PSD": lambda profile: files.psd(files.chart(), profile),
}


@pytest.mark.parametrize("kind", _P3_FILES)
def test_an_icc_profile_counts_in_every_type(kind: str) -> None:
    """Display P3."""
    assert _is_as(_P3_FILES[kind](icc_profiles.p3_profile()), 12)


def test_an_icc_profile_in_a_gif_counts() -> None:
    """Its palette has the colors."""
    image = files.chart().quantize(256)

    assert _is_as(files.gif(files.chart(), icc_profiles.p3_profile()), 12, image=image)


@pytest.mark.parametrize("primaries", [1, 5, 9, 12])
@pytest.mark.parametrize(("transfer", "exponent"), [(13, 0), (8, 1.0), (4, 2.2), (5, 2.8)])
def test_code_points_count_in_png_and_avif(primaries: int, transfer: int, exponent: float) -> None:
    """Primaries and curve, by their numbers in ITU-T H.273."""
    assert _is_as(_with(files.cicp(primaries, transfer)), primaries, exponent)
    assert _is_as(files.avif(files.chart(), primaries, transfer), primaries, exponent)


@pytest.mark.parametrize("transfer", [1, 6, 11, 14, 15])
def test_the_curve_of_a_camera_is_that_of_its_display(transfer: int) -> None:
    """BT.1886 in a PNG; in an AVIF, as browsers do it, that of sRGB."""
    assert _is_as(_with(files.cicp(9, transfer)), 9, 2.4)
    assert _is_as(files.avif(files.chart(), 9, transfer), 9)


def test_a_moving_avif_has_code_points_too() -> None:
    """Of its first track."""
    assert _is_as(files.moving_avif(files.chart(), 12, 13), 12)


def test_the_code_points_of_a_heic_count() -> None:
    """They are in the same box as those of an AVIF."""
    pytest.importorskip("pillow_heif").register_heif_opener()

    assert _is_as(files.heic(files.chart(), 12, 13), 12)


@pytest.mark.parametrize("gamma", [1.0, 0.5, 1 / 1.8, 0.4])
def test_a_gamma_counts_with_and_without_primaries(gamma: float) -> None:
    """As exponent of the encoding; without primaries those of sRGB are meant."""
    assert _is_as(_with(files.gamma(gamma)), 1, 1 / gamma)
    assert _is_as(_with(files.gamma(gamma), files.chromaticities(_SRGB)), 1, 1 / gamma)
    assert _is_as(_with(files.gamma(gamma), files.chromaticities(_P3)), 12, 1 / gamma)


@pytest.mark.parametrize("gamma", [2.2, 1 / 2.2])
def test_gamma_and_primaries_of_a_bmp_count(gamma: float) -> None:
    """Some programs write the exponent, some its inverse."""
    assert _is_as(files.bmp(files.chart(), primaries=_P3[2:], exponent=gamma), 12, 2.2)


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_gray_stays_gray(mode: str) -> None:
    """Its values follow the curve."""
    image = files.chart().convert(mode)
    made = converted(files.png(image, files.gamma(1.0)), _SIDE)

    assert made.mode == mode
    assert colorimetry.color_difference(made, colorimetry.to_srgb(image, 1, 1.0)) < _MAX_DIFFERENCE


def test_alpha_is_kept() -> None:
    """Colors are converted under it."""
    image = files.chart().convert("RGBA")
    image.putalpha(200)
    made = converted(files.png(image, files.cicp(12, 13)), _SIDE)

    assert made.getchannel("A").getextrema() == (200, 200)
    assert colorimetry.color_difference(made, colorimetry.to_srgb(image, 12)) < _MAX_DIFFERENCE


# --- which one counts ---------------------------------------------------------------------------
def test_code_points_of_a_png_come_before_its_profile() -> None:
    """PNG, third edition, section 12.8."""
    assert _is_as(_with(files.iccp(icc_profiles.p3_profile()), files.cicp(1, 13)), 1)
    assert _is_as(_with(files.iccp(icc_profiles.srgb_profile()), files.cicp(12, 13)), 12)


def test_a_profile_comes_before_srgb_and_gamma() -> None:
    """In a PNG."""
    assert _is_as(_with(files.iccp(icc_profiles.p3_profile()), files.SRGB, files.gamma(1.0)), 12)


def test_srgb_comes_before_gamma_and_primaries() -> None:
    """They are there for readers that do not know it."""
    assert _is_as(_with(files.SRGB, files.gamma(1.0), files.chromaticities(_P3)), 1)


def test_a_profile_comes_before_the_code_points_of_an_avif() -> None:
    """These then say only how channels are separated."""
    assert _is_as(files.avif(files.chart(), 9, 16, profile=icc_profiles.p3_profile()), 12)


# --- nothing to do ------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "data",
    [
        *(_with(*chunks) for chunks in (
            [files.SRGB],
            [files.cicp(1, 13)],
            [files.cicp(2, 2)],
            [files.gamma(0.45455)],
            [files.gamma(0.47)],
            [files.gamma(0.45455), files.chromaticities(_SRGB)],
            [files.chromaticities(_P3)],  # without a gamma; browsers ignore it
            [files.iccp(icc_profiles.srgb_profile())],
        )),
        files.avif(files.chart(), 1, 13),
        files.avif(files.chart(), 1, 1),
        files.avif(files.chart(), 2, 2),
        files.bmp(files.chart(), primaries=_SRGB[2:]),
        files.with_profile(files.chart().convert("L"), "JPEG", icc_profiles.srgb_profile()),
    ],
)  # fmt: skip
def test_srgb_costs_nothing(data: bytes) -> None:
    """There is nothing to convert, and no warning."""
    image, info = open_image(io.BytesIO(data), Limits())

    assert info.color == SourceColor()
    assert "warnings" not in image.info


@pytest.mark.parametrize("kind", SOURCES)
def test_files_without_statements_are_srgb(kind: str) -> None:
    """Whatever their type."""
    _, info = open_image(io.BytesIO(SOURCES[kind]()), Limits())

    assert (info.color == SourceColor()) == ("P3" not in kind and "with profile" not in kind)


# --- what cannot be used ------------------------------------------------------------------------
_BROKEN = icc_profiles.p3_profile()[:200]


@pytest.mark.parametrize(
    ("chunk", "reason"),
    [
        (files.cicp(12, 13, 1), "a PNG has RGB of full range only"),
        (files.cicp(12, 13, 0, 0), "a PNG has RGB of full range only"),
        (files.cicp(12, 2), "it leaves the color space open"),
        (files.cicp(12, 9), "transfer characteristics 9 are not supported"),
        (files.cicp(77, 13), "color primaries 77 are not supported"),
        (files.gamma(0.001), "a gamma of 0.001 is not supported"),
        (files.iccp(_BROKEN), "it is broken"),
        (files.iccp(icc_profiles.cmyk_profile()), "it is for CMYK, but the image is RGB"),
        (files.iccp(icc_profiles.grey_profile()), "it is for GRAY, but the image is RGB"),
        (files.iccp(icc_profiles.of_class(b"abst")), "it is an abstract profile"),
        (files.iccp(icc_profiles.of_class(b"link")), "it is a device link"),
        (files.iccp(icc_profiles.with_black_primaries()), "its white is not white"),
    ],
)
def test_what_cannot_be_used_is_a_warning(chunk: files.Chunk, reason: str) -> None:
    """The colors are those of sRGB then."""
    made = result(_with(chunk), _SIDE)

    assert made.warning == f"The color profile cannot be used; {reason}."
    assert _is_as(_with(chunk), 1)


def test_primaries_on_a_line_are_a_warning() -> None:
    """No color could be made of them."""
    made = result(_with(files.gamma(1.0), files.chromaticities((0.3, 0.3) * 4)), _SIDE)

    assert made.warning == "The color profile cannot be used; the primaries are on a line."


def test_the_next_statement_counts_if_one_cannot_be_used() -> None:
    """Here the profile, and then the code points."""
    assert _is_as(_with(files.cicp(9, 9), files.iccp(icc_profiles.p3_profile())), 12)
    assert _is_as(files.avif(files.chart(), 12, 13, profile=_BROKEN), 12)


def test_a_chunk_with_a_wrong_checksum_does_not_count() -> None:
    """As for libpng."""
    data = bytearray(_with(files.gamma(1.0)))
    data[data.index(b"gAMA") + 8] ^= 1

    assert read_png(io.BytesIO(data)) == Statements()
