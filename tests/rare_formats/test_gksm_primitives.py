"""GKSM: primitives and their attributes, judged by pixels."""

import pytest
from PIL import Image

from tests.testing.gksm_drawings import (
    BLACK,
    BLUE,
    CYAN,
    GREEN,
    MAGENTA,
    RED,
    SOLID,
    WHITE,
    YELLOW,
    box,
    color_at,
    drawn,
    extent,
    line,
    markers,
    text,
)


def test_a_line_has_width_and_color() -> None:
    """The width is in pixels of an image of 1,024 pixels."""
    image = drawn((23, 10.0), (24, 3), line(0, 0.5, 1, 0.5))

    column = [image.getpixel((512, y)) for y in range(1024)]
    assert column.count(GREEN) == pytest.approx(10, abs=1)
    assert color_at(image, 0.5, 0.5) == GREEN


@pytest.mark.parametrize(("kind", "share"), [(1, 1.0), (2, 2 / 3), (3, 1 / 3), (4, 9.5 / 15.5), (99, 1.0)])
def test_line_types_have_gaps(kind: int, share: float) -> None:
    """Solid, dashed, dotted, dashed and dotted; unknown types are solid."""
    image = drawn((22, kind), (23, 4.0), line(0, 0.5, 1, 0.5))

    row = [image.getpixel((x, 512)) for x in range(1024)]
    assert sum(255 - pixel[0] for pixel in row if isinstance(pixel, tuple)) / 255 / 1024 == pytest.approx(
        share, abs=0.06
    )


@pytest.mark.parametrize(
    ("kind", "along", "diagonal"), [(2, True, False), (3, True, True), (4, False, False), (5, False, True)]
)
def test_markers_have_a_shape_for_each_type(kind: int, along: bool, diagonal: bool) -> None:  # noqa: FBT001 -- what is expected
    """Plus, star, circle and cross, of the requested size."""
    image = drawn((26, kind), (27, 100.0), (28, 4), markers(0.5, 0.5))

    assert (color_at(image, 0.5, 0.5) == WHITE) == (kind == 4)
    ink = image.convert("L").point(lambda level: 255 * (level < 200))
    radius = 100 / 1024
    assert bool(_ink_near(ink, 0.5, 0.5 + radius * 0.75)) == along
    slope = (0.87, 0.5) if kind == 3 else (0.71, 0.71)
    assert bool(_ink_near(ink, 0.5 + slope[0] * radius * 0.75, 0.5 + slope[1] * radius * 0.75)) == diagonal
    left, right, low, high = extent(image)
    assert max(right - left, high - low) == pytest.approx(2 * radius if kind < 5 else 1.42 * radius, abs=0.004)


def _ink_near(ink: Image.Image, x: float, y: float) -> int:
    column, row = round(x * 1024), round((1 - y) * 1024)
    return len([pixel for pixel in ink.crop((column - 3, row - 3, column + 3, row + 3)).tobytes() if pixel])


def test_an_area_can_be_hollow_solid_or_hatched() -> None:
    """Hollow is the default: only the edge is drawn."""
    image = drawn(
        (40, 2),
        box(0.1, 0.1, 0.3, 0.3),
        (38, 1),
        box(0.4, 0.1, 0.6, 0.3),
        (38, 3),
        (39, 1),
        box(0.7, 0.1, 0.9, 0.3),
    )

    assert (color_at(image, 0.2, 0.2), color_at(image, 0.5, 0.2)) == (WHITE, RED)
    assert {image.getpixel((x, 800)) for x in range(100, 106)} != {WHITE}
    hatched = image.crop((int(0.72 * 1024), 740, int(0.88 * 1024), 900))
    assert 1 < len(set(hatched.resize((1, 160)).tobytes())) < 100
    assert hatched.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0)) == pytest.approx((255, 223, 223), abs=4)


def test_a_pattern_fills_an_area() -> None:
    """With its cells at the requested size."""
    size = 16 / 1024
    image = drawn((55, 2, 2, 1, 3, 4), (41, size, 0.0, 0.0, size / 2), (38, 2), (39, 2), box(0, 0, 1, 1))

    assert [image.getpixel((x, 500)) for x in (2, 6, 10, 14, 18)] == [GREEN, GREEN, BLUE, BLUE, GREEN]


@pytest.mark.parametrize(
    "corners",
    [
        (0.2, 0.2, 0.8, 0.6, 0.8, 0.2),
        (0.2, 0.6, 0.8, 0.2, 0.8, 0.6),
        (0.2, 0.2, 0.8, 0.8, 0.7, 0.3),
        (0.8, 0.2, 0.2, 0.6, 0.8, 0.6),
    ],
    ids=["upwards", "downwards", "slanted", "sideways"],
)
def test_a_cell_array_fills_any_parallelogram(corners: tuple[float, ...]) -> None:
    """Its first row goes from the first corner to the third."""
    image = drawn((15, *corners, 3, 2, 2, 3, 4, 5, 6, 7))

    x, y, opposite_x, opposite_y, along_x, along_y = corners
    centers = [((column + 0.5) / 3, (row + 0.5) / 2) for row in range(2) for column in range(3)]
    right, down = (along_x - x, along_y - y), (opposite_x - along_x, opposite_y - along_y)
    found = [color_at(image, x + u * right[0] + v * down[0], y + u * right[1] + v * down[1]) for u, v in centers]
    assert found == [RED, GREEN, BLUE, CYAN, MAGENTA, YELLOW]


def test_colors_can_be_defined() -> None:
    """Components are clipped to 0 to 1; undefined colors are black."""
    image = drawn((56, 2, 0.0, 0.5, 2.0), (40, 2), SOLID, box(0, 0, 0.5, 1), (40, 77), box(0.5, 0, 1, 1))

    assert (color_at(image, 0.2, 0.5), color_at(image, 0.8, 0.5)) == ((0, 128, 255), BLACK)


def test_aspect_source_flags_select_bundles() -> None:
    """Each aspect has a flag: here the interior is bundled, with the second flags the color too."""
    first, second = [1] * 10 + [0, 1, 1], [1] * 10 + [0, 1, 0]
    image = drawn(
        (54, 9, 1, 1, 4),
        (38, 0),
        (40, 2),
        (37, 9),
        (43, *first),
        box(0, 0, 0.5, 1),
        (43, *second),
        box(0.5, 0, 1, 1),
    )

    assert (color_at(image, 0.2, 0.5), color_at(image, 0.8, 0.5)) == (RED, BLUE)


def test_lines_markers_and_texts_have_bundles() -> None:
    """Representations define them."""
    image = drawn(
        (43, *[0] * 13), (51, 7, 1, 20.0, 2), (52, 7, 4, 30.0, 3), (53, 7, 1, 0, 1.0, 0.0, 4),
        (34, 0.0, 0.2, 0.2, 0.0), (21, 7), (25, 7), (29, 7),
        line(0, 0.9, 1, 0.9), markers(0.5, 0.2), text(0.4, 0.5, "I"),
    )  # fmt: skip

    assert {RED, GREEN, BLUE} <= {color for _, color in image.getcolors(100_000) or []}


def test_clipping_applies_until_it_changes() -> None:
    """The rectangle is given by its left, right, lower and upper side."""
    image = drawn(SOLID, (61, 0.2, 0.4, 0.5, 0.8), box(0, 0, 1, 1), (61, 0.0, 1.0, 0.0, 1.0), box(0.6, 0, 0.7, 1))

    assert [color_at(image, x, y) for x, y in ((0.3, 0.6), (0.3, 0.4), (0.5, 0.6), (0.65, 0.1))] == [
        BLACK, WHITE, WHITE, BLACK,
    ]  # fmt: skip
