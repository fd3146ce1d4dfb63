"""Modes and color spaces: whatever a source means, its outputs say the same in 8 bits and sRGB."""

import io
from typing import get_args

import pytest
from PIL import Image, ImageCms

from imageconverter.engine.color import to_eight_bits, to_srgb
from tests.testing import drawings, icc_profiles, image_files
from tests.testing.image_assertions import alpha, converted, difference, is_near, opened

_GREYS16 = (0, 257, 16_384, 32_768, 51_400, 65_535)
_GREYS8 = [0, 1, 64, 128, 200, 255]


# --- 8 bits -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "data",
    [
        image_files.grey16_png(_GREYS16),
        image_files.grey16_tiff(_GREYS16),
        image_files.grey16_tiff(_GREYS16, big_endian=True),
    ],
    ids=["PNG", "TIFF", "TIFF big-endian"],
)
def test_sixteen_bits_of_gray_become_eight(data: bytes) -> None:
    """Black stays black and white stays white, in either order of bytes."""
    image = converted(data)

    assert image.mode == "L"
    assert list(image.get_flattened_data())[:6] == _GREYS8


def test_sixteen_bits_a_channel_become_eight() -> None:
    """As if there had been eight from the beginning."""
    image = converted(image_files.rgb16_png(), 96)

    assert image.mode == "RGB"
    assert difference(image, drawings.photo()) < 0.5


@pytest.mark.parametrize(
    ("values", "greys"),
    [
        ((0.0, 0.25, 0.5, 1.0), [0, 64, 128, 255]),
        ((-1000.0, 0.0, 1000.0), [0, 128, 255]),
        ((7.0, 7.0), [0, 0]),
    ],
)
def test_floating_point_is_stretched_over_the_whole_range(values: tuple[float, ...], greys: list[int]) -> None:
    """What such numbers mean is not written anywhere; flat images are black."""
    image = converted(image_files.float_tiff(values))

    assert image.mode == "L"
    assert list(image.get_flattened_data())[: len(greys)] == greys


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), float("-inf"), 3.4e38, -3.4e38])
def test_numbers_that_are_none_do_no_harm(odd: float) -> None:
    """There is no right image of them, but there is one."""
    assert converted(image_files.float_tiff((odd, 0.0, 1.0))).mode == "L"
    assert converted(image_files.float_tiff((0.0, odd, 1.0))).mode == "L"


@pytest.mark.parametrize(
    ("given", "mode"),
    [
        (drawings.photo().convert("1"), "L"),
        (drawings.photo().convert("L"), "L"),
        (drawings.photo(), "RGB"),
        (drawings.photo().quantize(16), "RGB"),
        (drawings.photo().convert("CMYK"), "CMYK"),
        (drawings.photo().convert("YCbCr"), "RGB"),
        (drawings.photo().convert("HSV"), "RGB"),
        (drawings.photo().convert("RGBX"), "RGB"),
        (drawings.lab_photo(), "LAB"),
        (drawings.cutout(), "RGBA"),
        (drawings.cutout().convert("LA"), "LA"),
        (drawings.cutout().convert("LA").convert("La"), "LA"),
        (drawings.cutout().convert("RGBa"), "RGBA"),
        (drawings.cutout().quantize(16), "RGBA"),
        (drawings.photo().convert("L").convert("I"), "L"),
        (drawings.photo().convert("L").convert("F"), "L"),
    ],
    ids=lambda value: value.mode if isinstance(value, Image.Image) else value,
)
def test_every_mode_becomes_one_that_can_be_resized(given: Image.Image, mode: str) -> None:
    """Gray stays gray, alpha stays, everything else becomes RGB or waits for its profile."""
    made = to_eight_bits(given)

    assert made.mode == mode
    assert made.size == given.size


@pytest.mark.parametrize("kind", get_args(image_files.Transparency))
def test_transparency_is_found_wherever_it_is_written(kind: image_files.Transparency) -> None:
    """The disc is opaque, its surroundings are not."""
    made = converted(image_files.transparent_png(kind=kind), 96)
    image = made.convert("LA" if kind == "LA" else "RGBA")
    opaque = alpha(image)

    assert made.has_transparency_data
    assert opaque[2, 2] == 0
    assert opaque[32, 48] == 255
    if kind != "LA":
        assert is_near(image.getpixel((48, 32)), (200, 30, 60, 255), 4)


# --- sRGB ---------------------------------------------------------------------------------------
def managed(image: Image.Image, profile: bytes) -> Image.Image:
    """Return *image* as a color-managed program shows it."""
    made = ImageCms.profileToProfile(
        image,
        ImageCms.ImageCmsProfile(io.BytesIO(profile)),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    assert made is not None
    return made


@pytest.mark.parametrize(
    "make", [image_files.jpeg, image_files.png, image_files.webp, image_files.avif, image_files.tiff]
)
def test_display_p3_comes_out_as_a_managed_program_shows_it(make: type) -> None:
    """Colors are converted, not just relabelled."""
    size = (300, 200)
    data = make(size=size, profile=icc_profiles.p3_profile())
    source = opened(data)
    reference = managed(source, icc_profiles.p3_profile()).resize((150, 100), Image.Resampling.LANCZOS)
    image = converted(data, 150)

    assert difference(image, reference) < 1
    assert difference(source.resize((150, 100), Image.Resampling.LANCZOS), reference) > 4


def test_cmyk_with_a_profile_comes_out_as_it_would_be_printed() -> None:
    """The inks of a press are darker than those of a formula."""
    data = image_files.cmyk_jpeg(size=(300, 200), profile=icc_profiles.cmyk_profile())
    source = opened(data)
    reference = managed(source, icc_profiles.cmyk_profile()).resize((150, 100), Image.Resampling.LANCZOS)
    image = converted(data, 150)

    assert image.mode == "RGB"
    assert difference(image, reference) < 1.5
    assert difference(source.convert("RGB").resize((150, 100)), reference) > 8


def test_the_black_of_a_press_becomes_black() -> None:
    """The scale of grays is stretched to that of the screen, as browsers do it."""
    inks = Image.new("CMYK", (16, 16), (255, 255, 255, 255))
    black = to_srgb(inks, icc_profiles.cmyk_profile()).getpixel((8, 8))
    white = to_srgb(Image.new("CMYK", (16, 16)), icc_profiles.cmyk_profile()).getpixel((8, 8))

    assert is_near(black, (0, 0, 0), 6)
    assert is_near(white, (255, 255, 255), 3)


@pytest.mark.parametrize("data", [image_files.cmyk_jpeg(), image_files.cmyk_tiff()], ids=["JPEG", "TIFF"])
def test_cmyk_without_a_profile_looks_like_the_image(data: bytes) -> None:
    """It is not inverted, and paper is white."""
    image = converted(data, 96)

    assert image.mode == "RGB"
    assert difference(image, drawings.photo()) < 4


def test_lab_is_converted() -> None:
    """TIFF has it."""
    image = converted(image_files.tiff(image=drawings.lab_photo()), 96)

    assert image.mode == "RGB"
    assert difference(image, drawings.photo()) < 3


def test_gray_with_a_profile_is_converted_and_stays_grey() -> None:
    """In a linear scale a quarter of the light is far from dark."""
    linear = converted(
        image_files.png(image=Image.new("L", (8, 8), 64), profile=icc_profiles.grey_profile(gamma=1.0))
    )

    assert linear.mode == "L"
    assert is_near((linear.getpixel((4, 4)),), (137,), 2)


def test_alpha_is_kept_while_colors_are_converted() -> None:
    """In gray and in color."""
    disc = drawings.cutout()
    for given, profile in (
        (disc, icc_profiles.p3_profile()),
        (disc.convert("LA"), icc_profiles.grey_profile(gamma=1.0)),
    ):
        made = to_srgb(given, profile)

        assert made.mode == given.mode
        assert made.getchannel("A").tobytes() == given.getchannel("A").tobytes()
        assert made.getpixel((48, 32)) != given.getpixel((48, 32))


def test_a_broken_profile_does_not_break_a_cmyk_image() -> None:
    """It is converted as if it had none."""
    image = converted(image_files.cmyk_jpeg(profile=icc_profiles.cmyk_profile()[:400]), 96)

    assert difference(image, drawings.photo()) < 4
