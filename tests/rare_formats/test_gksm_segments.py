"""GKSM: the window, the end of the first image, and segments."""

import pytest

from tests.testing.gksm_drawings import BLACK, BLUE, RED, SOLID, WHITE, box, color_at, drawn, extent, near, opened
from tests.testing.gksm_files import Item, xgks


def test_the_window_is_the_visible_part() -> None:
    """Its longer side has 1,024 pixels."""
    image = drawn((71, 0.25, 0.5, 0.5, 1.0), SOLID, (40, 2), box(0.25, 0.5, 0.375, 1), (71, 0.0, 1.0, 0.0, 1.0))

    assert image.size == (512, 1024)
    assert (image.getpixel((100, 500)), image.getpixel((400, 500))) == (RED, WHITE)


def test_only_the_first_image_is_drawn() -> None:
    """It ends with the first clear item after a primitive."""
    image = drawn((1, 1), SOLID, (1, 1), box(0, 0, 0.5, 1), (1, 1), box(0.5, 0, 1, 1))

    assert (color_at(image, 0.2, 0.5), color_at(image, 0.8, 0.5)) == (BLACK, WHITE)


def test_data_after_the_end_item_is_ignored() -> None:
    """Even if it is not an item."""
    image = opened(xgks(SOLID, box(0, 0, 1, 1)) + b"nonsense")

    assert color_at(image, 0.5, 0.5) == BLACK


def _segment(name: int, *items: Item) -> tuple[Item, ...]:
    return (81, name), *items, (82,)


def test_a_segment_is_moved_by_its_transform() -> None:
    """Even if that comes later: here it is halved, rotated by a quarter turn and moved."""
    image = drawn(SOLID, *_segment(1, box(0, 0, 0.4, 0.2)), (91, 1, 0.0, -0.5, 0.5, 0.5, 0.0, 0.5))

    assert extent(image) == near(0.4, 0.5, 0.5, 0.7)


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ((), True),
        (((92, 1, 1),), False),
        (((92, 1, 1), (92, 1, 0)), True),
        (((84, 1),), False),
        (((83, 1, 5), (84, 1)), True),
        (((83, 1, 5), (84, 5)), False),
        (((92, 2, 1), (84, 2)), True),
    ],
    ids=["plain", "hidden", "shown again", "deleted", "renamed", "deleted by its new name", "of another"],
)
def test_a_segment_can_be_hidden_renamed_and_deleted(change: tuple[Item, ...], seen: bool) -> None:  # noqa: FBT001 -- what is expected
    """By its number."""
    image = drawn(SOLID, *_segment(1, box(0, 0, 1, 1)), *change)

    assert (color_at(image, 0.5, 0.5) == BLACK) == seen


def test_a_segment_of_higher_priority_is_on_top() -> None:
    """Regardless of the order of creation."""
    red, blue = (_segment(name, SOLID, (40, color), box(0, 0, 1, 1)) for name, color in ((1, 2), (2, 4)))

    assert color_at(drawn(*red, *blue), 0.5, 0.5) == BLUE
    assert color_at(drawn(*red, *blue, (94, 1, 0.5)), 0.5, 0.5) == RED


def test_redrawing_keeps_only_segments() -> None:
    """Earlier primitives outside of segments are erased."""
    image = drawn(SOLID, *_segment(1, box(0, 0, 0.3, 1)), box(0.3, 0, 0.6, 1), (2,), box(0.6, 0, 0.9, 1))

    assert [color_at(image, x, 0.5) for x in (0.1, 0.5, 0.8)] == [BLACK, WHITE, BLACK]
