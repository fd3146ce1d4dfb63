"""Which part of an image a crop keeps."""

import numpy as np
import pytest
from PIL import Image

from imageconverter.engine.focus import entropy_crop
from imageconverter.engine.geometry import centered_box
from tests.testing import drawings, image_files
from tests.testing.image_assertions import converted, is_near


def _detail_at(left: int, top: int, size: tuple[int, int] = (300, 200)) -> Image.Image:
    """Draw a smooth gradient with one busy square of 60 pixels."""
    ramp = np.linspace(90, 110, size[0])[None, :].repeat(size[1], 0)
    pixels = np.repeat(ramp[..., None], 3, 2).astype(np.uint8)
    pixels[top : top + 60, left : left + 60] = np.random.default_rng(4).integers(0, 255, (60, 60, 3))
    return Image.fromarray(pixels)


@pytest.mark.parametrize("left", [0, 70, 140, 240])
def test_a_crop_keeps_what_is_busy(left: int) -> None:
    """Wherever it is."""
    box = entropy_crop(_detail_at(left, 70), (100, 200))

    assert box[2] - box[0] == 100
    assert (box[1], box[3]) == (0, 200)
    assert box[0] <= left + 6
    assert box[2] >= left + 54


def test_it_is_found_in_both_directions() -> None:
    """And in large images."""
    left, top, right, bottom = entropy_crop(_detail_at(800, 120, (1200, 800)), (200, 200))

    assert (right - left, bottom - top) == (200, 200)
    assert left <= 805
    assert right >= 855
    assert top <= 125
    assert bottom >= 175


def test_of_an_even_image_the_middle_is_kept() -> None:
    """No entropy is no reason to fail."""
    assert entropy_crop(Image.new("RGB", (50, 30)), (20, 30)) == (15, 0, 35, 30)
    assert entropy_crop(Image.new("L", (1, 1)), (1, 1)) == (0, 0, 1, 1)


@pytest.mark.parametrize(
    ("point", "box"),
    [
        ((0.5, 0.5), (100, 0, 200, 100)),
        ((0.0, 0.5), (0, 0, 100, 100)),
        ((1.0, 1.0), (200, 0, 300, 100)),
        ((0.25, 0.9), (25, 0, 125, 100)),
    ],
)
def test_the_box_is_as_near_to_the_point_as_it_goes(
    point: tuple[float, float], box: tuple[int, int, int, int]
) -> None:
    """Never outside."""
    assert centered_box((300, 100), (100, 100), point) == box


@pytest.mark.parametrize(("focus", "color"), [((0.0, 0.0), 0), ((1.0, 0.0), 1), ("centre", None)])
def test_a_focus_decides_what_is_kept(focus: object, color: int | None) -> None:
    """By itself."""
    data = image_files.png(image=drawings.corners((200, 50)))
    made = converted(data, 25, fit="crop", focus=focus)
    left, right = (made.convert("RGB").crop((x, 2, x + 1, 3)).tobytes() for x in (2, 22))

    if color is None:
        assert not is_near(left, tuple(right))
    else:
        assert is_near(left, drawings.CORNERS[color])
        assert is_near(right, drawings.CORNERS[color])


@pytest.mark.parametrize("orientation", [1, 6])
def test_the_focus_is_where_a_person_sees_it(orientation: int) -> None:
    """Also in an image that the camera turned."""
    data = image_files.jpeg(image=drawings.corners((200, 50)), orientation=orientation)
    made = converted(data, 25, fit="crop", focus=(1.0, 0.5)).convert("RGB")

    assert is_near(made.getpixel((12, 4)), drawings.CORNERS[1])


def test_entropy_is_a_focus_of_a_target() -> None:
    """Through the whole pipeline."""
    made = converted(image_files.png(image=_detail_at(230, 70)), 60, fit="crop", focus="entropy")
    pixels = np.asarray(made.convert("L"), dtype=float)

    assert made.size == (60, 60)
    assert pixels[:, 30:].std() > 2 * pixels[:, :30].std()
