"""What a target may do to a finished image: sharp edges, round corners, grays, a background of its own color."""

import io
import math
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageSequence
from scipy.ndimage import gaussian_filter

from imageconverter.engine import OutputType
from tests.testing import drawings, icc_profiles, image_files
from tests.testing.image_assertions import alpha, converted, difference, is_near, opened, result, results, target

_RED, _BLUE = (214, 74, 58), (20, 40, 200)
_SIZE = (96, 64)


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _png(image: Image.Image) -> bytes:
    return _saved(image, "PNG")


# --- cornerRadius -------------------------------------------------------------------------------
@pytest.mark.parametrize("radius", [1, 7, 20, 32])
def test_corners_are_cut_off_by_the_area_outside_of_their_circles(radius: int) -> None:
    """Four quarters of a square without the circle in it: (4 - pi) r²."""
    visible = alpha(converted(_png(drawings.photo()), 96, corner_radius=radius)) / 255

    assert visible.size - visible.sum() == pytest.approx((4 - math.pi) * radius**2, abs=0.02 * radius**2 + 0.5)
    assert (visible == visible[::-1, :]).all()
    assert (visible == visible[:, ::-1]).all()
    assert visible[:, radius:-radius].min() == visible[radius : 64 - radius or None, :].min(initial=1) == 1


def test_a_pixel_is_visible_if_its_middle_is_inside_of_the_circle() -> None:
    """But for half a pixel along the edge."""
    visible = alpha(converted(_png(drawings.photo()), 96, corner_radius=24))
    for row in range(24):
        for column in range(24):
            distance = math.hypot(column + 0.5 - 24, row + 0.5 - 24)
            if abs(distance - 24) > 0.51:
                assert visible[row, column] == (255 if distance < 24 else 0), (row, column)


@pytest.mark.parametrize("side", [63, 64])
def test_the_largest_radius_makes_a_circle_of_a_square(side: int) -> None:
    """Also if the side is odd, and so does any larger number."""
    circle, larger = (
        alpha(converted(_png(drawings.photo()), side, fit="crop", corner_radius=radius)) for radius in ("max", 16_384)
    )

    assert circle.sum() / 255 == pytest.approx(math.pi * side**2 / 4, rel=0.005)
    assert (circle == larger).all()


def test_transparent_parts_stay_transparent() -> None:
    """Both covers are multiplied, as by "in" of Porter and Duff."""
    disc = drawings.cutout((64, 64), softness=40)
    plain, rounded = (alpha(converted(_png(disc), corner_radius=radius)).astype(float) for radius in (0, 12))
    white = alpha(converted(_png(Image.new("RGB", (64, 64))), corner_radius=12).convert("RGBA"))

    assert np.abs(plain * white / 255 - rounded).max() < 1  # rounded or cut


@pytest.mark.parametrize(("output", "kind"), [("auto", "png"), ("jpeg", "jpeg"), ("webp", "webp"), ("gif", "gif")])
def test_corners_show_the_background_where_the_type_has_no_transparency(output: str, kind: str) -> None:
    """An image of the type `auto` becomes a PNG."""
    made = result(_png(Image.new("RGB", _SIZE, _RED)), 96, output=output, corner_radius="max", background="#1428c8")
    shown = opened(made.data)

    assert made.output == kind
    assert is_near(shown.convert("RGB").getpixel((48, 32)), _RED, 8)
    if kind == "jpeg":
        assert is_near(shown.getpixel((0, 0)), _BLUE, 8)
    else:
        assert alpha(shown)[0, 0] == 0


def test_every_frame_of_an_animation_has_round_corners() -> None:
    """In the type that has no half transparency too."""
    for output in ("gif", "webp"):
        made = opened(result(image_files.animated_gif(frames=3), 64, output=output, corner_radius="max").data)
        frames = [frame.convert("RGBA") for frame in ImageSequence.Iterator(made)]
        assert [alpha(frame)[0, 0] for frame in frames] == [0, 0, 0]


# --- gray ---------------------------------------------------------------------------------------
def test_gray_is_the_luma_of_the_color() -> None:
    """0.299 R + 0.587 G + 0.114 B (ITU-R BT.601)."""
    made = converted(_png(drawings.corners()), 96, gray=True)

    assert made.mode == "L"
    for index, (red, green, blue) in enumerate(drawings.CORNERS):
        luma = 0.299 * red + 0.587 * green + 0.114 * blue
        assert made.getpixel((24 + 48 * (index % 2), 16 + 32 * (index // 2))) == pytest.approx(luma, abs=0.6)


@pytest.mark.parametrize("output", ["jpeg", "png", "webp", "avif", "gif"])
def test_every_type_can_be_gray(output: OutputType) -> None:
    """The background of a padded image too, and what is transparent stays so."""
    made = converted(_png(drawings.cutout((64, 64))), output=output, gray=True, background="#ff0000").convert("RGBA")
    padded = converted(_png(drawings.photo()), output=output, gray=True, fit="pad", background="#ff0000")
    red, green, blue, visible = (np.asarray(each, int) for each in made.split())

    assert np.abs(red - green).max(where=visible > 0, initial=0) <= 1
    assert np.abs(green - blue).max(where=visible > 0, initial=0) <= 1
    assert visible[0, 0] == (255 if output == "jpeg" else 0)
    assert is_near(padded.convert("RGB").getpixel((32, 4)), (76, 76, 76), 3)


def test_grays_come_from_converted_colors() -> None:
    """Inks with a profile become sRGB first, as LittleCMS converts them."""
    photo, profile = drawings.photo(), icc_profiles.p3_profile()
    to_srgb = ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB"), "RGB", "RGB"
    )
    displayed = to_srgb.apply(photo)
    wide = _saved(photo, "PNG", icc_profile=profile)
    inks = image_files.cmyk_jpeg(image=photo.convert("CMYK"))

    assert difference(converted(wide, 96, gray=True), displayed.convert("L")) < 1
    assert difference(converted(inks, 96, gray=True), photo.convert("L")) < 3


def test_an_image_is_not_kept_if_it_is_to_be_changed() -> None:
    """Though it has its size and type already."""
    source = _saved(drawings.photo(), "JPEG", quality=60)
    plain, gray, round_ = results(
        source,
        *(target(96, output="jpeg", **fields) for fields in ({}, {"gray": True}, {"corner_radius": 9})),
    )

    assert opened(gray.data).mode == "L"
    assert is_near(opened(round_.data).getpixel((0, 0)), (255, 255, 255), 12)
    assert not is_near(opened(plain.data).getpixel((0, 0)), (255, 255, 255), 12)


# --- sharpen ------------------------------------------------------------------------------------
def test_edges_are_sharpened_by_an_unsharp_mask() -> None:
    """C + share · (C - blurred C), of a Gaussian of 0.7 pixels."""
    source = _png(drawings.photo((400, 300)))
    plain, sharp = (np.asarray(converted(source, 100, sharpen=percent), float) for percent in (0, 80))
    blurred = gaussian_filter(plain, (0.7, 0.7, 0), mode="nearest")
    expected = np.clip(plain + 0.8 * (plain - blurred), 0, 255)

    assert np.abs(sharp - plain).max() > 25
    assert np.abs(sharp - expected).max() < 5  # the blur is made of boxes
    assert np.abs(sharp - expected).mean() < 0.5


@pytest.mark.parametrize("fields", [{}, {"fit": "crop", "max_height": 20}, {"upscale": True, "max_width": 200}])
def test_an_image_that_is_not_made_smaller_is_not_sharpened(fields: dict[str, Any]) -> None:
    """It has the sharpness that it was made with."""
    box = {"max_width": 96, "max_height": 200, "output": "png", **fields}
    plain, sharp = results(_png(drawings.photo()), target(**box), target(**box, sharpen=100))

    assert plain.data == sharp.data


# --- background = "dominant" --------------------------------------------------------------------
def test_a_padded_image_has_the_color_that_most_of_it_has() -> None:
    """Not the mean of all colors, which nothing in the image has."""
    image = drawings.photo((120, 60)).point(lambda level: level // 4)
    image.paste(_RED, (0, 0, 70, 60))
    made = converted(_png(image), 60, fit="pad", background="dominant")

    assert is_near(made.getpixel((30, 2)), _RED, 4)


def test_only_what_is_visible_counts_for_the_background() -> None:
    """Of an image without any visible pixel it is white."""
    disc = converted(_png(drawings.cutout(color=_BLUE)), 96, output="jpeg", background="dominant")
    nothing = converted(_png(Image.new("RGBA", _SIZE)), 96, output="jpeg", background="dominant")

    assert is_near(disc.getpixel((1, 1)), _BLUE, 6)
    assert nothing.getpixel((1, 1)) == (255, 255, 255)


def test_a_color_with_noise_is_one_color() -> None:
    """Levels on both sides of a multiple of 16 are alike."""
    random = np.random.default_rng(1)
    pixels = np.empty((64, 64, 3), np.uint8)
    pixels[:40] = (128 + random.normal(0, 5, (40, 64, 3))).astype(np.uint8)
    pixels[40:] = (250, 0, 0)
    made = converted(_png(Image.fromarray(pixels)), 64, max_height=96, fit="pad", background="dominant")

    assert is_near(made.getpixel((32, 2)), (128, 128, 128), 3)


def test_all_frames_of_an_animation_lie_on_one_background() -> None:
    """That of the first frame: a color that changes would flicker."""
    frames = [Image.new("RGB", (40, 20), color) for color in (_RED, _BLUE, (0, 200, 0))]
    source = _saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True, duration=90)
    moving = opened(result(source, 40, output="webp", lossless=True, fit="pad", background="dominant").data)

    margins = [frame.convert("RGB").getpixel((20, 2)) for frame in ImageSequence.Iterator(moving)]
    assert len(margins) == 3
    assert all(is_near(margin, _RED, 1) for margin in margins)
