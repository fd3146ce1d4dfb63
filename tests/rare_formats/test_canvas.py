"""The canvas of line drawings, judged by pixels."""

import math

import pytest
from PIL import Image, ImageChops, ImageStat

from rare_formats.canvas import Affine, Canvas, Hatch, Tiling, arc_points
from rare_formats.lettering import CAP_HEIGHT, Lettering, text_length
from rare_formats.strokes import Cap, Join, Pen, Point

_PIXELS: Affine = (1, 0, 0, 0, 1, 0)
_WHITE, _BLACK, _RED, _BLUE = (255, 255, 255), (0, 0, 0), (255, 0, 0), (0, 0, 255)


def _canvas(width: int = 100, height: int = 100, transform: Affine = _PIXELS) -> Canvas:
    return Canvas((width, height), transform)


def _ink(canvas: Canvas) -> tuple[int, int, int, int]:
    """Return the bounding box of all pixels that are not nearly white."""
    darkness = ImageChops.invert(canvas.finish().convert("L"))
    box = darkness.point(lambda level: 255 if level > 100 else 0).getbbox()
    assert box is not None
    return box


def _darkness(image: Image.Image) -> float:
    """Return the share of ink."""
    return 1 - ImageStat.Stat(image.convert("L")).mean[0] / 255


def test_a_line_has_the_width_and_position_of_its_pen() -> None:
    """Half of the width is on each side."""
    canvas = _canvas()
    canvas.stroke([(20, 50), (80, 50)], Pen(_RED, 6))
    assert _ink(canvas) == (20, 47, 80, 53)
    assert canvas.finish().getpixel((50, 50)) == _RED


def test_thin_lines_are_gray() -> None:
    """A line of a quarter pixel has a quarter of the ink."""
    canvas = _canvas()
    canvas.stroke([(0, 50.1), (100, 50.1)], Pen(_BLACK, 0.25))
    assert _darkness(canvas.finish()) == pytest.approx(0.0025, abs=0.0003)


@pytest.mark.parametrize(("cap", "left"), [("butt", 40), ("round", 35), ("projecting", 35)])
def test_caps_end_a_line(cap: Cap, left: int) -> None:
    """A butt cap ends with the line, the others extend it by half of its width."""
    canvas = _canvas()
    canvas.stroke([(40, 50), (80, 50)], Pen(_BLACK, 10, cap))
    assert _ink(canvas)[0] == left
    corner = canvas.finish().convert("L").getpixel((36, 46))
    assert (corner == 0) == (cap == "projecting")


@pytest.mark.parametrize(("join", "top"), [("miter", 23), ("round", 25), ("bevel", 26)])
def test_joins_fill_a_corner(join: Join, top: int) -> None:
    """The tip of a right angle protrudes by 1.41, 1 and 0.71 half widths."""
    canvas = _canvas()
    canvas.stroke([(10, 70), (50, 30), (90, 70)], Pen(_BLACK, 10, join=join))
    assert _ink(canvas)[1] == top


def test_a_very_sharp_corner_has_no_miter() -> None:
    """It would be longer than ten line widths."""
    canvas = _canvas()
    canvas.stroke([(10, 52), (50, 50), (10, 48)], Pen(_BLACK, 4))
    assert _ink(canvas)[2] < 55


def test_a_closed_line_is_joined_at_its_ends() -> None:
    """The first corner is filled like the others."""
    canvas = _canvas()
    canvas.stroke([(20, 20), (80, 20), (80, 80), (20, 80)], Pen(_BLACK, 10), closed=True)
    assert _ink(canvas) == (15, 15, 85, 85)
    assert [canvas.finish().getpixel(corner) for corner in ((16, 16), (83, 83))] == [_BLACK, _BLACK]


def test_dashes_and_gaps_follow_the_line_around_corners() -> None:
    """Strokes and gaps of ten pixels; one stroke has five pixels on each side of the corner."""
    canvas = _canvas()
    canvas.stroke([(5, 50), (50, 50), (50, 95)], Pen(_BLACK, 4, dashes=(10, 10)))
    image = canvas.finish().convert("L")
    assert [image.getpixel((x, 50)) for x in (10, 20, 30, 40)] == [0, 255, 0, 255]
    assert [image.getpixel((50, y)) for y in (51, 60, 70)] == [0, 255, 0]


def test_invisibly_small_dashes_make_a_solid_line() -> None:
    """They do not take time either."""
    canvas = _canvas()
    canvas.stroke([(0, 50), (100, 50)], Pen(_BLACK, 4, dashes=(1e-9, 1e-9)))
    assert canvas.finish().crop((0, 49, 100, 51)).getcolors() == [(200, _BLACK)]


def test_areas_are_filled_even_odd() -> None:
    """The middle of a pentagram is outside."""
    corners = [
        (50 + 45 * math.sin(turn * 4 * math.pi / 5), 50 - 45 * math.cos(turn * 4 * math.pi / 5)) for turn in range(5)
    ]
    canvas = _canvas()
    canvas.fill(corners, _RED)
    image = canvas.finish()
    assert image.getpixel((50, 50)) == _WHITE
    assert image.getpixel((50, 20)) == _RED


def test_a_drawing_can_have_its_own_units_and_y_upwards() -> None:
    """A unit square is mapped to a rectangle of the image."""
    canvas = _canvas(transform=(50, 0, 10, 0, -20, 90))
    canvas.fill([(0, 0), (1, 0), (1, 1), (0, 1)], _BLACK)
    assert _ink(canvas) == (10, 70, 60, 90)


def test_lines_and_areas_far_outside_are_clipped() -> None:
    """The part on the canvas is correct, however far the ends are."""
    canvas = _canvas()
    canvas.stroke([(-1e12, 50), (1e12, 50)], Pen(_RED, 4))
    canvas.fill([(90, -1e9), (1e9, -1e9), (1e9, 1e9), (90, 1e9)], _BLUE)
    image = canvas.finish()
    assert (image.getpixel((10, 50)), image.getpixel((10, 60))) == (_RED, _WHITE)
    assert (image.getpixel((95, 5)), image.getpixel((88, 5))) == (_BLUE, _WHITE)


def test_the_clipping_rectangle_applies_to_everything() -> None:
    """Lines, areas, patterns, letters and cells."""
    canvas = _canvas()
    canvas.clip((40, 40), (60, 60))
    everything = [(0.0, 0.0), (100.0, 0.0), (100.0, 100.0), (0.0, 100.0)]
    canvas.fill(everything, _RED)
    canvas.fill(everything, Hatch(Pen(), (4, 4), (((0, 2), (4, 2)),)))
    canvas.stroke([(0, 50), (100, 50)], Pen(_BLACK, 8))
    canvas.text((0, 60), "MMMMMMMM", Lettering(size=40))
    canvas.cells(Image.new("RGB", (2, 2)), (0, 0), (100, 0), (0, 100))
    assert _ink(canvas) == (40, 40, 60, 60)
    canvas.clip()
    canvas.fill(everything, _RED)
    assert _ink(canvas) == (0, 0, 100, 100)


@pytest.mark.parametrize("background", [None, (255, 255, 0)])
def test_a_hatch_repeats_its_lines(background: tuple[int, int, int] | None) -> None:
    """A line of two pixels every ten, over a background or the pixels below."""
    canvas = _canvas()
    canvas.fill([(0, 0), (100, 0), (100, 100), (0, 100)], (0, 255, 0))
    hatch = Hatch(Pen(_BLUE, 2), (10, 10), (((0, 5), (10, 5)),), background)
    canvas.fill([(20, 20), (80, 20), (80, 80), (20, 80)], hatch)
    image = canvas.finish()
    assert [image.getpixel((50, y)) for y in (25, 35, 75)] == [_BLUE] * 3
    assert image.getpixel((50, 30)) == (background or (0, 255, 0))
    assert image.getpixel((50, 15)) == (0, 255, 0)


def test_slanted_hatch_lines_continue_across_tiles() -> None:
    """The edges of a tile are as dark as its middle."""
    canvas = _canvas()
    canvas.fill([(0, 0), (100, 0), (100, 100), (0, 100)], Hatch(Pen(_BLACK, 2), (8, 8), (((0, 0), (8, 8)),)))
    image = canvas.finish().convert("L")
    assert [image.getpixel((40 + step, 40 + step)) for step in range(8)] == [0] * 8
    assert _darkness(image) == pytest.approx(2 * math.sqrt(2) / 8, abs=0.03)


def test_a_tiling_repeats_an_image() -> None:
    """From the corner of the image, not of the area."""
    two = Image.new("RGB", (2, 1), _RED)
    two.putpixel((1, 0), _BLUE)
    canvas = _canvas()
    canvas.fill([(13, 13), (93, 13), (93, 93), (13, 93)], Tiling(two, (20, 10)))
    image = canvas.finish()
    assert [image.getpixel((x, 50)) for x in (5, 15, 25, 35, 45, 95)] == [_WHITE, _BLUE, _RED, _BLUE, _RED, _WHITE]


def test_text_is_aligned_at_its_position() -> None:
    """By its length and the requested height."""
    length = text_length("HHHH", 20)
    boxes = []
    for align in ("left", "center", "right"):
        canvas = _canvas(300, 100)
        canvas.text((150, 50), "HHHH", Lettering(size=20, align=align))
        boxes.append(_ink(canvas))
    assert [box[0] for box in boxes] == [pytest.approx(150 + shift, abs=2.5) for shift in (0, -length / 2, -length)]
    assert all(box[3] == 50 and box[1] == pytest.approx(50 - 20 * CAP_HEIGHT, abs=1) for box in boxes)
    canvas = _canvas()
    canvas.text((10, 50), "H", Lettering(size=20, rise="cap"))
    assert _ink(canvas)[1] == pytest.approx(50, abs=1)


def test_text_is_rotated_counterclockwise_about_its_position() -> None:
    """After a quarter turn it runs upwards, even if the y axis does so too."""
    for transform in (_PIXELS, (1.0, 0, 0, 0, -1.0, 100)):
        canvas = _canvas(transform=transform)
        canvas.text((50, 50), "HHH", Lettering(size=16, angle=math.pi / 2))
        left, top, right, bottom = _ink(canvas)
        assert right == 50
        assert bottom == pytest.approx(50, abs=2)
        assert bottom - top > 2 * (right - left)


def test_letters_can_be_stretched_slanted_and_bold() -> None:
    """They become wider, leaning to the right, or darker."""
    boxes, inks = [], []
    for lettering in (Lettering(size=20), Lettering(size=20, stretch=2), Lettering(size=20, slant=0.5), Lettering(size=20, bold=True)):  # fmt: skip  # noqa: E501 -- a row of four
        canvas = _canvas()
        canvas.text((10, 50), "I", lettering)
        boxes.append(_ink(canvas))
        inks.append(_darkness(canvas.finish()))
    plain, stretched, slanted, _ = boxes
    assert stretched[2] - stretched[0] > 1.6 * (plain[2] - plain[0])
    assert slanted[2] > plain[2] + 4
    assert slanted[0] <= plain[0] + 1
    assert inks[3] > 1.2 * inks[0]


def test_letters_of_latin_1_have_their_marks() -> None:
    """The font has none of these letters; marks are drawn above letters, and no letter is a box."""
    tops = {}
    for letter in "eéèêëEÉ":
        canvas = _canvas()
        canvas.text((20, 70), letter, Lettering(size=40))
        tops[letter] = _ink(canvas)[1]
    assert all(tops[letter] < tops["e"] - 3 for letter in "éèêë")
    assert tops["É"] < tops["E"] - 3
    assert text_length("Straße", 10) == text_length("Strasse", 10)


def test_cells_follow_their_corners() -> None:
    """Also if they are rotated or mirrored."""
    cells = Image.new("RGB", (2, 1), _RED)
    cells.putpixel((1, 0), _BLUE)
    canvas = _canvas()
    canvas.cells(cells, (10, 10), (90, 10), (10, 50))
    canvas.cells(cells, (90, 95), (90, 55), (10, 95))
    image = canvas.finish()
    assert [image.getpixel(at) for at in ((20, 30), (80, 30), (50, 90), (50, 60))] == [_RED, _BLUE, _RED, _BLUE]
    assert _ink(canvas) == (10, 10, 90, 95)


def test_arcs_are_within_the_tolerance() -> None:
    """Every point is on the ellipse, and the middle of a side is not farther from it than the tolerance."""
    points = arc_points((10, 20), 50, 50, start=1.0, sweep=2.0, tolerance=0.1)
    assert [math.dist(point, (10, 20)) for point in points] == [pytest.approx(50)] * len(points)
    (x0, y0), (x1, y1) = points[:2]
    assert math.dist(((x0 + x1) / 2, (y0 + y1) / 2), (10, 20)) > 49.9
    tilted = arc_points((0, 0), 30, 10, tilt=math.pi / 2, tolerance=0.1)
    assert max(y for _, y in tilted) == pytest.approx(30)


def test_the_bitmap_is_bounded() -> None:
    """A large canvas is drawn with a smaller factor, and the result has the requested size."""
    assert Canvas((3000, 10), _PIXELS).finish().size == (3000, 10)
    canvas = Canvas((6000, 5000), _PIXELS)
    canvas.stroke([(0, 2500), (6000, 2500)], Pen(_BLACK, 10))
    assert canvas.finish().size == (6000, 5000)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_infinite_coordinates_and_nan_are_refused(value: float) -> None:
    """With an exception that decoders may raise."""
    points: list[Point] = [(value, 0), (10, 10), (20, 0)]
    with pytest.raises((ValueError, OverflowError)):
        _canvas().fill(points, _RED)


def test_too_much_work_is_refused() -> None:
    """Millions of dashes, or an area of a hundred thousand crossing sides."""
    with pytest.raises(ValueError, match="too much work"):
        _canvas().stroke([(0, 0), (1e8, 1e8)], Pen(dashes=(0.6, 0.6)))
    zigzag = [(index % 97, 99 * (index % 2)) for index in range(400_000)]
    with pytest.raises(ValueError, match="too much work"):
        _canvas().fill(zigzag, _RED)
