"""The focal point of a source: it wins over the focus of a target, and is where a person sees it."""

import io

import pytest
from PIL import Image

from imageconverter.engine import Target
from imageconverter.engine.focal_point import turned, turned_back
from imageconverter.engine.output_types import Converted, Failed
from imageconverter.engine.pipeline import convert
from tests.testing import image_files

_SIZE = (240, 120)
_POINT = (200, 30)


def _dot(size: tuple[int, int] = _SIZE, point: tuple[int, int] = _POINT) -> Image.Image:
    """Draw a white dot on black."""
    image = Image.new("RGB", size)
    image.paste((255, 255, 255), (point[0] - 4, point[1] - 4, point[0] + 5, point[1] + 5))
    return image


def _shows_dot(made: Converted | Failed) -> bool:
    """Return whether the dot is in what was made."""
    assert isinstance(made, Converted)
    return max(Image.open(io.BytesIO(made.data)).convert("L").tobytes()) > 200


@pytest.mark.parametrize("turn", list(Image.Transpose))
def test_a_point_turns_with_the_image(turn: Image.Transpose) -> None:
    """As Pillow turns it, and back."""
    image = _dot().transpose(turn)
    x, y = turned((_POINT[0] / _SIZE[0], _POINT[1] / _SIZE[1]), turn)

    assert image.getpixel((int(x * image.width), int(y * image.height))) == (255, 255, 255)
    assert turned_back(turned((0.2, 0.7), turn), turn) == pytest.approx((0.2, 0.7))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("auto_rotate", [True, False])
def test_it_is_where_a_person_sees_it(orientation: int, auto_rotate: bool) -> None:  # noqa: FBT001 - a parameter
    """Whether the output is turned or not."""
    size, point = (_SIZE, _POINT) if orientation < 5 else (_SIZE[::-1], _POINT[::-1])
    data = image_files.jpeg(image=_dot(size, point), orientation=orientation)
    (upright,) = convert(io.BytesIO(data), [Target(max_width=None, max_height=None, output="png")])
    assert isinstance(upright, Converted)
    pixels = Image.open(io.BytesIO(upright.data)).convert("L").point([0] * 128 + [255] * 128)
    left, top, right, bottom = pixels.getbbox() or (0, 0, 0, 0)
    seen = ((left + right) / 2 / pixels.width, (top + bottom) / 2 / pixels.height)
    target = Target(max_width=30, max_height=30, fit="crop", focus="entropy", output="png", auto_rotate=auto_rotate)
    aimed, away = convert(io.BytesIO(data), [target.aimed_at(seen), target.aimed_at((1 - seen[0], 1 - seen[1]))])

    assert _shows_dot(aimed)
    assert not _shows_dot(away)


def test_it_stays_where_it_is_when_borders_are_cut_off() -> None:
    """Although it is a share of the whole image; beside it, it is the nearest point."""
    image = Image.new("RGB", (480, 120), "#ffffff")
    image.paste(_dot(), (240, 0))
    source = io.BytesIO(image_files.png(image=image))
    target = Target(max_width=60, max_height=120, fit="crop", trim=0, output="png")
    aimed, beside = target.aimed_at((440 / 480, 0.25)), target.aimed_at((0, 0.25))
    at_dot, at_edge = convert(source, [aimed, beside])

    assert _shows_dot(at_dot)
    assert not _shows_dot(at_edge)


def test_a_target_may_have_a_focus_of_its_own() -> None:
    """And what is not cropped has none."""
    own = Target(max_width=50, max_height=50, fit="crop", focus=(0, 0), focal_point=False)
    whole = Target(max_width=50, max_height=50)
    crop = Target(max_width=50, max_height=50, fit="crop")

    assert own.aimed_at((1, 1)) is own
    assert whole.aimed_at((1, 1)) is whole
    assert crop.aimed_at(None) is crop
    assert crop.aimed_at((1, 1)).focal_point == (1, 1)
    assert "focalPoint" not in crop.model_dump_json(by_alias=True, exclude_defaults=True)
