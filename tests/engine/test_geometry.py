"""Where an image goes in its target."""

from typing import cast, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imageconverter.engine import Fit, Target
from imageconverter.engine.geometry import Box, Size, place

SIDES = st.integers(1, 30_000)
BOXES = st.integers(1, 16_384)


@pytest.mark.parametrize(
    ("size", "box", "fit", "upscale", "frame"),
    [
        ((4000, 3000), (800, 800), "contain", False, (800, 600)),
        ((3000, 4000), (800, 800), "contain", False, (600, 800)),
        ((4000, 3000), (800, 800), "cover", False, (1067, 800)),
        ((4000, 3000), (800, 800), "crop", False, (1067, 800)),
        ((4000, 3000), (800, 800), "pad", False, (800, 600)),
        ((100, 50), (800, 800), "contain", False, (100, 50)),
        ((100, 50), (800, 800), "contain", True, (800, 400)),
        ((100, 50), (800, 800), "cover", True, (1600, 800)),
        ((1000, 10), (100, 100), "cover", False, (1000, 10)),
        ((799, 601), (400, 400), "contain", False, (400, 301)),
        ((10_000, 3), (200, 200), "contain", False, (200, 1)),
        ((3, 10_000), (200, 200), "contain", False, (1, 200)),
        ((1, 1), (16_384, 16_384), "contain", True, (16_384, 16_384)),
    ],
)
def test_the_image_is_scaled_to_its_frame(size: Size, box: Size, fit: Fit, upscale: bool, frame: Size) -> None:  # noqa: FBT001
    """The aspect is kept, to the nearest pixel, and never less than one."""
    target = Target(max_width=box[0], max_height=box[1], fit=fit, upscale=upscale)

    assert place(size, target).frame == frame


@pytest.mark.parametrize(
    ("size", "box", "crop"),
    [
        ((400, 200), (100, 100), (50, 0, 150, 100)),
        ((200, 400), (100, 100), (0, 50, 100, 150)),
        ((101, 100), (100, 100), (0, 0, 100, 100)),
        ((103, 100), (100, 100), (1, 0, 101, 100)),
        ((50, 300), (100, 100), (0, 100, 50, 200)),
        ((50, 30), (100, 100), (0, 0, 50, 30)),
    ],
)
def test_a_crop_is_taken_from_the_middle(size: Size, box: Size, crop: Box) -> None:
    """An odd pixel falls off on the right or below; an image that is too small is not enlarged for it."""
    placement = place(size, Target(max_width=box[0], max_height=box[1], fit="crop"))

    assert placement.crop == crop
    assert placement.canvas == (crop[2] - crop[0], crop[3] - crop[1])


@settings(deadline=None)
@given(st.tuples(SIDES, SIDES), st.tuples(BOXES, BOXES), st.sampled_from(get_args(Fit)), st.booleans())
def test_what_holds_for_every_placement(size: Size, box: Size, fit: str, upscale: bool) -> None:  # noqa: FBT001
    """Frame, crop and canvas fit each other, the box and the image's aspect."""
    (width, height), (wide, high) = size, box
    target = Target(max_width=wide, max_height=high, fit=cast("Fit", fit), upscale=upscale)
    frame, (left, top, right, bottom), canvas = place((width, height), target)

    assert min(frame) >= 1
    assert 0 <= left < right <= frame[0]
    assert 0 <= top < bottom <= frame[1]
    assert canvas == (wide, high) if fit == "pad" else canvas == (right - left, bottom - top)
    if not upscale:
        assert frame[0] <= width
        assert frame[1] <= height
    if fit in ("contain", "pad"):
        assert frame[0] <= wide
        assert frame[1] <= high
        assert frame[0] == wide or frame[1] == high or frame == (width, height)
    else:
        assert (frame[0] >= wide and frame[1] >= high) or (frame == (width, height) and not upscale)
        assert frame[0] == wide or frame[1] == high or frame == (width, height)
    if fit == "crop":
        assert canvas == (min(wide, frame[0]), min(high, frame[1]))
        assert abs(left - (frame[0] - right)) <= 1
        assert abs(top - (frame[1] - bottom)) <= 1
    else:
        assert (left, top, right, bottom) == (0, 0, *frame)
    for side, other, kept, beside in ((width, height, *frame), (height, width, *frame[::-1])):
        # the longer side gives the scale best; the other one is rounded to the nearest pixel
        if side >= other:
            assert beside == 1 or abs(beside - other * kept / side) <= 0.5 + 0.5 * other / side + 1e-6
