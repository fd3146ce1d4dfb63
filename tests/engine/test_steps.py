"""The single steps, each by itself."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

from imageconverter.engine import OutputType, Target, steps
from imageconverter.engine.decode import ImageInfo
from imageconverter.engine.geometry import Size, place
from imageconverter.engine.source_types import SOURCE_TYPES
from imageconverter.engine.steps import Plan
from tests.testing import drawings
from tests.testing.image_assertions import difference, is_upright

_WHITE = (255, 255, 255)


def plan_for(size: Size, *, orientation: int = 1, output: OutputType = "png", **fields: Any) -> Plan:
    """Plan an output for an image of *size* as a person sees it."""
    target = Target(**{"max_width": size[0], "max_height": size[1], **fields})
    info = ImageInfo(SOURCE_TYPES[0], size, orientation, animated=False)
    stored = size[::-1] if info.is_sideways else size
    return Plan(info, (0, 0, *stored), target, place(size, target), output)


# --- reduce -------------------------------------------------------------------------------------
def test_an_image_is_reduced_in_the_axes_it_is_stored_in() -> None:
    """What lies on its side is turned afterwards, when it is small."""
    reduced = steps.reduce(drawings.photo((64, 96)), plan_for((96, 64), orientation=6, max_width=48))

    assert reduced.size == (32, 48)


# --- orient -------------------------------------------------------------------------------------
@pytest.mark.parametrize("orientation", range(1, 9))
def test_what_a_camera_turned_is_turned_back(orientation: int) -> None:
    """All eight ways."""
    stored = drawings.as_stored(drawings.corners(), orientation)
    upright = steps.orient(stored, plan_for(drawings.SIZE, orientation=orientation))

    assert is_upright(upright)
    assert is_upright(stored) == (orientation == 1)


# --- sharpen ------------------------------------------------------------------------------------
@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_sharpening_neither_moves_the_outline_nor_shows_hidden_colors(mode: str) -> None:
    """A disc of one color keeps it up to its edge, though black pixels are hidden beside it."""
    disc = drawings.cutout(color=(200, 200, 200)).convert(mode)
    sharp = steps.sharpen(disc, plan_for((192, 128), max_width=96, sharpen=100))
    levels, visible = (np.asarray(sharp.getchannel(channel), int) for channel in (0, "A"))

    assert (visible == np.asarray(disc.getchannel("A"))).all()
    assert np.abs(levels - 200).max(where=visible > 100, initial=0) <= 4
    assert levels[0, 0] == 0


# --- crop and pad -------------------------------------------------------------------------------
def test_a_crop_is_the_middle_of_the_frame() -> None:
    """As wide as the box, as much left over on one side as on the other."""
    cropped = steps.crop(drawings.corners(), plan_for((96, 64), fit="crop", max_width=32))

    assert cropped.size == (32, 64)
    assert is_upright(cropped)
    assert steps.crop(drawings.corners(), plan_for((96, 64))).size == (96, 64)


@pytest.mark.parametrize("color", ["#000000", "#ffffff", "#1e90ff"])
def test_a_pad_is_filled_with_the_background(color: str) -> None:
    """The image is in the middle, untouched."""
    photo = drawings.photo()
    padded = steps.pad(photo, plan_for((96, 64), fit="pad", max_width=100, max_height=90, background=color))
    background = tuple(bytes.fromhex(color[1:]))

    assert padded.size == (100, 90)
    assert {padded.getpixel(at) for at in ((0, 0), (99, 0), (0, 89), (99, 89), (1, 45), (50, 12))} == {background}
    assert padded.crop((2, 13, 98, 77)).tobytes() == photo.tobytes()


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_every_mode_can_be_padded(mode: str) -> None:
    """The canvas has the color of the background, so it is RGB."""
    padded = steps.pad(drawings.cutout().convert(mode), plan_for((96, 64), fit="pad", max_height=96))

    assert padded.mode == "RGB"
    assert padded.getpixel((48, 4)) == _WHITE


@pytest.mark.parametrize("box", [(96, 64), (96, 96)])
def test_a_padded_image_lies_on_the_background_whether_it_fills_the_box_or_not(box: Size) -> None:
    """Else some images of one format would be transparent and others not."""
    plan = plan_for((96, 64), fit="pad", max_width=box[0], max_height=box[1], background="#00ff00")
    padded = steps.pad(drawings.cutout(), plan)

    assert padded.mode == "RGB"
    assert padded.getpixel((1, 1)) == (0, 255, 0)


# --- flatten ------------------------------------------------------------------------------------
@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_soft_edges_blend_into_the_background(mode: str) -> None:
    """No pixel is darker than the disc and the background it lies on: there is no halo."""
    disc = drawings.cutout(softness=8).convert(mode)
    flat = steps.flatten(disc, plan_for((96, 64), output="jpeg", background="#ffffff"))
    reference = Image.new("RGB", disc.size, _WHITE)
    reference.paste(disc.convert("RGB"), mask=disc.getchannel("A"))

    assert flat.mode == "RGB"
    assert difference(flat, reference) < 0.5
    assert flat.getpixel((0, 0)) == _WHITE


@pytest.mark.parametrize("output", ["png", "webp", "avif"])
def test_an_output_with_transparency_keeps_it(output: OutputType) -> None:
    """The background is for those without."""
    disc = drawings.cutout()

    assert steps.flatten(disc, plan_for((96, 64), output=output)) is disc


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_a_gif_is_transparent_or_not(mode: str) -> None:
    """What is at least half opaque becomes opaque and blends into the background, so that edges stay smooth."""
    disc = drawings.cutout(softness=8).convert(mode)
    flat = steps.flatten(disc, plan_for((96, 64), output="gif"))

    assert flat.mode == "RGBA"
    for before, after in zip(disc.getchannel("A").tobytes(), flat.getchannel("A").tobytes(), strict=True):
        assert after == (255 if before >= 128 else 0)
    reference = Image.new("RGB", disc.size, _WHITE)
    reference.paste(disc.convert("RGB"), mask=disc.getchannel("A"))
    assert difference(flat.convert("RGB"), reference) < 0.5


# --- strip --------------------------------------------------------------------------------------
def test_nothing_but_the_pixels_is_left() -> None:
    """The image that was given keeps what it had: it may be needed for another output."""
    photo = drawings.photo()
    photo.info |= {"icc_profile": b"x", "exif": b"x", "xmp": b"x", "comment": b"x", "transparency": 0}
    bare = steps.strip(photo, plan_for((96, 64)))

    assert bare.info == {}
    assert bare.tobytes() == photo.tobytes()
    assert photo.info["comment"] == b"x"
