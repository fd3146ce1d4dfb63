"""Where an image lands in its preview."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imageconverter.engine import geometry
from imageconverter.engine.geometry import Size
from imageconverter.previews import PreviewFormat, parse, to_target
from tests.previews.test_preview_format import FORMATS

SIZES = st.tuples(st.integers(1, 60_000), st.integers(1, 60_000))


def place(size: Size, format_: PreviewFormat) -> geometry.Placement:
    """Place an image where the engine does."""
    return geometry.place(size, to_target(format_))


@pytest.mark.parametrize(
    ("format_", "size", "expected"),
    [
        ("200x200", (640, 480), (200, 150)),
        ("200x200", (480, 640), (150, 200)),
        ("200x200", (100, 80), (100, 80)),
        ("200x200~expand", (100, 80), (100, 80)),
        ("200x200", (10_000, 10), (200, 3)),
        ("200x200", (1, 1000), (3, 200)),
        ("200x200", (1, 1), (1, 1)),
        ("200x-1", (640, 480), (200, 150)),
        ("-1x200", (640, 480), (267, 200)),
        ("800x-1", (640, 480), (640, 480)),
        ("-1x-1", (640, 480), (640, 480)),
        ("3x100", (6, 5), (3, 3)),
        ("200x200~cover", (640, 480), (267, 200)),
        ("200x200~cover", (480, 640), (200, 267)),
        ("200x200~cover", (100, 80), (100, 80)),
        ("200x200~cover", (200, 200), (200, 200)),
        ("200x150~cover", (300, 100), (300, 100)),
        ("1920x1080~cover", (3000, 1), (3000, 1)),
        ("200x200~cover~expand", (100, 80), (250, 200)),
        ("200x-1~cover", (640, 480), (200, 150)),
        ("-1x-1~cover~expand", (640, 480), (640, 480)),
        ("200x-1~cover~expand", (100, 80), (200, 160)),
    ],
)
def test_contain_and_cover_give_the_whole_image(format_: str, size: Size, expected: Size) -> None:
    """Inside the box, or over it; nothing is cut off and nothing is added."""
    assert place(size, parse(format_)) == (expected, (0, 0, *expected), expected)


@pytest.mark.parametrize(
    ("format_", "size", "frame", "canvas"),
    [
        ("200x200~force", (640, 480), (200, 150), (200, 200)),
        ("200x200~force", (100, 80), (100, 80), (200, 200)),
        ("200x200~force~expand", (100, 80), (100, 80), (200, 200)),
        ("200x-1~force", (640, 480), (200, 150), (200, 150)),
        ("800x-1~force", (640, 480), (640, 480), (800, 480)),
        ("-1x-1~force", (640, 480), (640, 480), (640, 480)),
        ("200x2~force", (640, 480), (3, 3), (200, 2)),
    ],
)
def test_a_forced_dimension_is_filled_up(format_: str, size: Size, frame: Size, canvas: Size) -> None:
    """The image lies in the middle as `contain` would make it."""
    placement = place(size, parse(format_))

    assert (placement.frame, placement.canvas) == (frame, canvas)


@pytest.mark.parametrize(
    ("format_", "size", "frame", "crop", "canvas"),
    [
        ("200x200~cov_crop", (640, 480), (267, 200), (33, 0, 233, 200), (200, 200)),
        ("200x200~cov_crop", (480, 640), (200, 267), (0, 33, 200, 233), (200, 200)),
        ("200x200~cov_crop", (100, 100), (100, 100), (0, 0, 100, 100), (200, 200)),
        ("200x200~cov_crop~expand", (100, 100), (100, 100), (0, 0, 100, 100), (200, 200)),
        ("200x150~cov_crop", (300, 100), (300, 100), (50, 0, 250, 100), (200, 150)),
        ("200x-1~cov_crop", (640, 480), (200, 150), (0, 0, 200, 150), (200, 150)),
        ("-1x-1~cov_crop", (640, 480), (640, 480), (0, 0, 640, 480), (640, 480)),
    ],
)
def test_cover_and_crop_gives_just_the_box(
    format_: str, size: Size, frame: Size, crop: geometry.Box, canvas: Size
) -> None:
    """The middle of the covering image, or a small image in the middle of the box."""
    assert place(size, parse(format_)) == (frame, crop, canvas)


@given(SIZES, FORMATS)
def test_what_is_kept_always_lies_in_the_frame_and_on_the_canvas(size: Size, format_: PreviewFormat) -> None:
    """Whatever the extents, and nothing but `expand` and what makes lines visible enlarges."""
    frame, (left, top, right, bottom), canvas = place(size, format_)

    assert 0 <= left < right <= frame[0]
    assert 0 <= top < bottom <= frame[1]
    if format_.scale != "containforcedimension":  # where a line that is made visible may stand out
        assert right - left <= canvas[0]
        assert bottom - top <= canvas[1]
    if format_.scale != "cover" or format_.shrink_only:
        assert all(side <= max(3, extent) for side, extent in zip(frame, size, strict=True))


@given(FORMATS)
def test_every_format_makes_a_target(format_: PreviewFormat) -> None:
    """Even one whose extents no target may have."""
    target = to_target(format_)

    assert target.quality == format_.quality
    assert target.output == {"auto": "auto", "jpg": "jpeg", "png": "png"}[format_.type]
    assert to_target(format_, comment="OX_IC").comment == "OX_IC"
