"""XFIG drawings: every kind of object by its pixels, and against fig2dev where that is installed."""

import functools
import io
import math
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageFilter, ImageStat

from imageconverter.engine.decoder_errors import DECODER_ERRORS
from rare_formats.xfig import XfigImageFile
from tests.testing.fig_files import (
    arc,
    arrow,
    box,
    ellipse,
    fig,
    fig_21,
    fig_30,
    fig_31,
    polyline,
    spline,
    style,
    text,
)

_LIBRARY = Path("/usr/share/xfig/Libraries")
_WHITE, _BLACK, _BLUE, _RED = (255, 255, 255), (0, 0, 0), (0, 0, 255), (255, 0, 0)

_MARGINS = 6  # pixels, both together

needs_fig2dev = pytest.mark.skipif(
    not all(map(shutil.which, ("fig2dev", "gs"))), reason="no fig2dev or no Ghostscript"
)
needs_library = pytest.mark.skipif(not _LIBRARY.is_dir(), reason="no xfig-libs")


def _drawn(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data), formats=["XFIG"])
    image.load()
    return image


def _cropped(image: Image.Image) -> Image.Image:
    """Crop the image to the pixels that are not white."""
    image = image.convert("RGB")
    ink = ImageChops.difference(image, Image.new("RGB", image.size, _WHITE)).convert("L")
    return image.crop(ink.point(lambda level: 255 if level > 24 else 0).getbbox())


def _at(image: Image.Image, x: float, y: float) -> object:
    """Return the pixel at a position in FIG units of a drawing whose corner is a line without width at 0, 0."""
    return image.getpixel((3 + int(x / 12), 3 + int(y / 12)))


def _frame(*objects: str) -> Image.Image:
    """Draw objects within a square of 1200 units, whose corners are marked by white dots without extent."""
    corners = polyline([(0, 0), (1200, 1200)], style(width=0, area=20, fill=7, depth=999))
    return _drawn(fig(corners, *objects))


def test_a_drawing_has_a_hundred_pixels_an_inch_and_a_margin() -> None:
    """Its size is known before it is drawn."""
    image = Image.open(io.BytesIO(fig(box(0, 0, 2400, 1200, style(area=20, width=0, fill=1)))), formats=["XFIG"])
    assert isinstance(image, XfigImageFile)
    assert (image.format, image.mode, image.size) == ("XFIG", "RGB", (206, 106))
    assert _cropped(image).size == pytest.approx((200, 100), abs=1)
    assert not image.info


def test_a_large_drawing_is_scaled_down() -> None:
    """To 4,096 pixels on the long side."""
    width, height = _drawn(fig(box(0, 0, 1_200_000, 120_000, style()))).size
    assert width == 4096
    assert height == pytest.approx(415, abs=1)


def test_a_metric_drawing_has_the_size_that_xfig_intends() -> None:
    """It has 450 units in a centimeter."""
    assert (
        _drawn(fig(box(0, 0, 450, 450, style(width=0, area=20)), units="Metric")).width == math.ceil(100 / 2.54) + 6
    )


@pytest.mark.parametrize(
    ("area", "fill", "color"),
    [
        (20, 1, _BLUE), (10, 1, (0, 0, 128)), (0, 1, _BLACK), (30, 1, (128, 128, 255)), (40, 1, _WHITE),
        (20, 0, _BLACK), (5, 0, (191, 191, 191)), (0, 0, _WHITE), (0, 7, _BLACK), (20, 7, _WHITE), (-1, 1, _WHITE),
        (20, 31, (255, 215, 0)), (20, -1, _BLACK), (20, 40, (18, 52, 86)), (20, 99, _BLACK),
    ],
)  # fmt: skip
def test_areas_have_shades_and_tints_of_their_color(area: int, fill: int, color: tuple[int, int, int]) -> None:
    """Shades of black and the default are grays; user colors are defined in the file."""
    image = _frame("0 40 #123456\n", box(100, 100, 1100, 1100, style(area=area, fill=fill, width=0)))
    assert _at(image, 600, 600) == color


@pytest.mark.parametrize("area", range(41, 63))
def test_patterns_are_lines_of_the_pen_on_the_fill_color(area: int) -> None:
    """Both colors are present, and the lines cover less."""
    image = _frame(box(0, 0, 1200, 1200, style(area=area, pen=4, fill=6, width=0))).crop((4, 4, 102, 102))
    colors = {color: count for count, color in image.getcolors(10_000) or []}
    assert colors.get((255, 255, 0), 0) > 500
    assert 0.05 < 1 - ImageStat.Stat(image.split()[1]).mean[0] / 255 < 0.55


@pytest.mark.parametrize(("area", "slope"), [(41, 0.5), (42, -0.5), (44, 1.0), (45, -1.0)])
def test_hatches_lean_to_their_side(area: int, slope: float) -> None:
    """A pattern that is shifted along its lines does not change; one that is shifted across them does."""
    image = _frame(box(0, 0, 1200, 1200, style(area=area, width=0))).convert("L")
    still = image.crop((20, 20, 80, 80))
    along, across = (image.crop((22, 20 + shift, 82, 80 + shift)) for shift in (int(2 * slope), -int(2 * slope)))
    differences = [ImageStat.Stat(ImageChops.difference(still, moved)).mean[0] for moved in (along, across)]
    assert differences[0] < 0.5 * differences[1]


def test_the_deepest_object_is_drawn_first() -> None:
    """Regardless of the order in the file and of compounds."""
    objects = [
        box(0, 0, 1200, 1200, style(area=20, fill=1, depth=10)),
        "6 0 0 1 1\n6 0 0 1 1\n" + box(0, 0, 1200, 1200, style(area=20, fill=4, depth=5)) + "-6\n-6\n",
        box(0, 0, 1200, 1200, style(area=20, fill=2, depth=100)),
    ]
    assert _at(_frame(*objects), 600, 600) == _RED


def test_arcs_are_below_lines_and_lines_below_texts_of_one_depth() -> None:
    """As in xfig, which draws them by kind."""
    wedge = arc((600, 600), [(0, 600), (600, 0), (1200, 600)], style(area=20, fill=4), kind=2)
    line = polyline([(0, 300), (1200, 300)], style(width=20, pen=1))
    assert _at(_frame(line, wedge), 600, 300) == _BLUE


def test_thickness_is_in_eightieths_of_an_inch() -> None:
    """Minus one, as in fig2dev."""
    image = _frame(polyline([(0, 600), (1200, 600)], style(width=9)))
    assert _cropped(image).height == pytest.approx(8 * 100 / 80, abs=1)


def test_dashes_have_the_length_of_the_style() -> None:
    """Eight eightieths of an inch are ten pixels."""
    image = _frame(polyline([(0, 600), (1200, 600)], style(line=1, width=5, dash=8.0)))
    assert [_at(image, 12 * x, 600) for x in (5, 15, 25, 35)] == [_BLACK, _WHITE, _BLACK, _WHITE]


def test_an_arrow_has_its_tip_at_the_end_of_the_line() -> None:
    """A thick line does not protrude from it, and the head has the stored width."""
    line = polyline([(100, 600), (1100, 600)], style(width=5), forward=arrow(1, 1, width=400, length=400))
    image = _frame(line)
    assert _cropped(image).width == pytest.approx(1000 / 12, abs=2)
    assert _cropped(image).height == pytest.approx(400 / 12, abs=3)
    assert _at(image, 750, 680) == _BLACK
    assert _at(image, 1000, 680) == _WHITE


def test_half_a_head_is_flush_with_the_far_side_of_the_line() -> None:
    """It protrudes by less than half of its width on the other side, and not at all on this one."""
    line = polyline([(100, 600), (1100, 600)], style(width=9), forward=arrow(10, 1, width=400, length=400))
    assert _cropped(_frame(line)).height == pytest.approx(200 / 12, abs=3)


def test_hollow_heads_are_filled_with_white() -> None:
    """Also on a dark background, and at both ends."""
    head = arrow(1, 0, width=400, length=400)
    image = _frame(
        box(0, 0, 1200, 1200, style(area=20, fill=1, depth=60)),
        polyline([(100, 600), (1100, 600)], style(width=2), forward=head, backward=head),
    )
    assert (_at(image, 850, 630), _at(image, 350, 630), _at(image, 600, 650)) == (_WHITE, _WHITE, _BLUE)


def test_a_text_is_drawn_at_its_position() -> None:
    """With its escapes decoded; hidden texts are not drawn."""
    shown = _frame(text(100, 600, r"\\ H\344\101 \\001", size=24))
    plain = _frame("4 0 0 50 -1 16 24 0.0 4 1 0 100 600 \\ HäA \\001\\001\n".replace("\\ H", "\\\\ H", 1).replace(" \\001\\001", " \\\\001\\001"))  # fmt: skip  # noqa: E501 -- one object a line
    assert ImageChops.difference(shown, plain).getbbox() is None
    hidden = _frame("4 0 0 50 -1 16 24 0.0 12 1 0 100 600 Hidden\\001\n")
    assert hidden.getcolors() == [(hidden.width * hidden.height, _WHITE)]


def test_a_text_has_the_stored_length_if_that_is_plausible() -> None:
    """The length in a very different font is not plausible."""
    widths = [_cropped(_frame(text(50, 600, "Length of text", length=length))).width for length in (1300, 1050, 50)]
    assert widths[:2] == [pytest.approx(1300 / 12, abs=4), pytest.approx(1050 / 12, abs=4)]
    assert widths[2] > 90


def test_the_file_of_an_imported_image_is_not_opened(tmp_path: Path) -> None:
    """Its frame is drawn instead."""
    inner = tmp_path / "inner.png"
    Image.new("RGB", (10, 10), _RED).save(inner)
    corners = [(100, 100), (1100, 100), (1100, 1100), (100, 1100), (100, 100)]
    image = _frame(polyline(corners, style(pen=-1), kind=5, image=f"\t0 {inner}\n"))
    assert _at(image, 600, 600) == _WHITE
    assert _cropped(image).size == pytest.approx((84, 84), abs=2)


def test_old_versions_are_read() -> None:
    """The same square inch in 3.2, 3.1, 3.0 (in pixels) and 2.1 (with another numbering of fills)."""
    square = style(area=10, fill=0, width=1)
    images = [
        _drawn(fig(box(0, 0, 1200, 1200, square))),
        _drawn(fig_31("# a comment\n" + box(0, 0, 1200, 1200, square))),
        _drawn(fig_30(box(0, 0, 80, 80, square))),
        _drawn(fig_21("2 2 0 1 0 50 0 11 0.000 0 0 0\n\t0 0 80 0 80 80 0 80 0 0 9999 9999\n")),
    ]
    assert {_cropped(image).getpixel((50, 50)) for image in images} == {(128, 128, 128)}
    assert len({image.size for image in images}) == 1


def test_numbers_can_be_on_any_line() -> None:
    """With comments between them, and any kind of line end."""
    scattered = "2 1 0 9 4 7 50\n-1 -1 0.000\n# a comment\n0 0 -1 0 0\n2\n 0\n600 1200\n 600\n"
    gather_all = polyline([(0, 600), (1200, 600)], style(width=9, pen=4, dash=0))
    one, other = _frame(scattered), _frame(gather_all)
    assert ImageChops.difference(one, other).getbbox() is None
    assert _drawn(fig(gather_all).replace(b"\n", b"\r\n")).size == _drawn(fig(gather_all)).size


_THIN = style()
_LINE = polyline([(0, 0), (1200, 600)], style())


@pytest.mark.parametrize(
    "data",
    [
        b"#FIG 3.2\n",
        b"#FIG x\n" + fig(_LINE)[9:],
        fig(),
        fig(_LINE)[:-8],
        fig(_LINE, resolution=0),
        fig("7 1 2 3\n"),
        fig("2 1 " + style() + " 0 0 -1 0 0 99999999\n\t0 0\n"),
        fig("2 1 " + style() + " 0 0 -1 0 0 -1\n\t0 0\n"),
        fig(_LINE.replace("1200", "nan")),
        fig(_LINE.replace("1200", "1e308")),
        fig(_LINE.replace("1200", "many")),
        fig("4 0 0 50 -1 0 12 0 4 100 100 0 0 no end\n"),
        fig("4 0 0 50 -1 0 12 0 4 100 100 0 0 " + "\\" * 100_000),
        fig("6 0 0 1 1\n" * 200_000),
        fig(spline([(0, 0)] * 250_000, style(), kind=4, controls="1 " * 250_000)),
        fig(polyline([(0, 0), (1e6, 1e6)] * 3000, style(line=1, dash=200))),
        fig(text(0, 0, "hello") * 30_000),
    ],
)
def test_broken_and_hostile_drawings_are_refused(data: bytes) -> None:
    """Quickly, and with one of the exceptions that decoders may raise."""
    with pytest.raises(DECODER_ERRORS):
        _drawn(data)


@pytest.mark.parametrize(
    "objects",
    [
        polyline([(0, 0), (1e9, -1e9)], style(width=1_000_000_000)),
        polyline([(0, 0), (0, 0), (0, 0)], style(), forward=arrow(1), backward=arrow(3, 1)),
        polyline([(0, 0), (10, 0)], style(), forward=arrow(99, 7, width=0, length=0)),
        ellipse(0, 0, 0, 0, style()),
        arc((0, 0), [(0, 0), (0, 0), (0, 0)], style(), forward=arrow(5)),
        spline([(5, 5)], style(), kind=5, controls="0"),
        spline([(5, 5), (5, 5), (5, 5)], style(), kind=5, controls="-1 -1 -1"),
        text(0, 0, "", size=-5),
        text(0, 0, "x" * 5000, size=5000, angle=1),
        "6 0 0 1 1\n" * 1000 + _LINE + "-6\n" * 3000,
        polyline([(0, 0), (1e5, 1e5)], style(line=1, dash=1e-9)),
    ],
)
def test_unusual_drawings_are_drawn(objects: str) -> None:
    """Without an error, and within the bounds of the size."""
    assert max(_drawn(fig(objects)).size) <= 4096


@functools.cache
def _by_fig2dev(data: bytes) -> Image.Image:
    command = ["fig2dev", "-L", "png", "-m", "1.25", "-S", "4"]
    return Image.open(
        io.BytesIO(subprocess.run(command, input=data, capture_output=True, check=True, timeout=60).stdout)
    )


def _difference(data: bytes) -> float:
    """Return the mean difference to fig2dev's image in levels after a small blur; 255 if the sizes differ."""
    ours, theirs = _cropped(_drawn(data)), _cropped(_by_fig2dev(data))
    if any(abs(one - other) > 3 + 0.01 * other for one, other in zip(ours.size, theirs.size, strict=True)):
        return 255.0
    blur = ImageFilter.GaussianBlur(2)
    ours = ours.resize(theirs.size)
    return ImageStat.Stat(ImageChops.difference(ours.filter(blur), theirs.filter(blur)).convert("L")).mean[0]


def _wave(kind: int, controls: str, **fields: str) -> str:
    points = [(0, 600), (400, 0), (800, 1200), (1200, 200), (1400, 900)]
    return spline(points, style(width=3), kind=kind, controls=f"\t{controls}\n", **fields)  # type: ignore[arg-type]


def _arrows(form: int) -> str:
    """Return an arrow with two heads of each type."""
    heads = [arrow(kind, form, width=300, length=400) for kind in range(15)]
    points = [[(0, 500 * row), (2400, 500 * row)] for row in range(15)]
    return "".join(
        polyline(each, style(width=4), forward=head, backward=head) for each, head in zip(points, heads, strict=True)
    )


_KINDS = {
    "box": box(0, 0, 1800, 1200, style(width=4, area=10, fill=2)),
    "polygon": polyline([(0, 0), (900, 200), (300, 900), (0, 0)], style(width=9, area=25, fill=1), kind=3, join=1),
    "joins": "".join(polyline([(0, 900 + i * 900), (500, i * 900), (900, 900 + i * 900)], style(width=20), join=i, cap=i) for i in range(3)),  # noqa: E501 -- one object a line
    "arc-box": polyline([(0, 0), (1800, 0), (1800, 900), (0, 900), (0, 0)], style(width=3), kind=4, radius=20),
    "dashes": "".join(polyline([(0, i * 300), (2400, i * 300)], style(line=i, width=4, dash=10.0)) for i in range(6)),
    "dot": polyline([(600, 600)], style(width=20)) + polyline([(0, 0), (1200, 0)], style()),
    "ellipse": ellipse(900, 600, 900, 300, style(width=3, area=15, fill=12), angle=0.5),
    "arc clockwise": arc((600, 600), [(0, 600), (600, 0), (1200, 600)], style(width=3), direction=0),
    "arc counterclockwise": arc((600, 600), [(0, 600), (600, 1200), (600, 0)], style(width=3), direction=1),
    "wedge": arc((600, 600), [(0, 600), (600, 0), (1200, 600)], style(width=3, area=20, fill=4), kind=2),
    "approximated": _wave(0, "0 1 1 1 0"),
    "approximated closed": _wave(1, "1 1 1 1 1"),
    "interpolated": _wave(2, "0 -1 -1 -1 0"),
    "interpolated closed": _wave(3, "-1 -1 -1 -1 -1"),
    "x-spline": _wave(4, "0 0.5 -0.3 1 0"),
    "x-spline closed": _wave(5, "0.2 0 -0.7 1 -1"),
    "arrow on a spline": _wave(0, "0 1 1 1 0", forward=arrow(2, 1, width=200), backward=arrow(1, 0, width=200)),
    "arrow on an arc": arc((600, 600), [(0, 600), (600, 0), (1200, 600)], style(width=3), forward=arrow(2, 1)),
    "colors": "".join(box(i * 100, 0, i * 100 + 100, 900, style(width=0, area=20, fill=i)) for i in range(32)),
    "compound": "6 0 0 900 900\n" + box(0, 0, 900, 900, style(area=20, fill=5)) + "-6\n" + ellipse(450, 450, 400, 200, style(width=9)),  # noqa: E501 -- one object a line
    "text": text(100, 2400, "Helvetica at an angle", size=30, angle=0.4, length=4150) + box(0, 0, 5000, 2500, _THIN),
    "hollow arrows": _arrows(0),
    "filled arrows": _arrows(1),
}  # fmt: skip


@needs_fig2dev
@pytest.mark.parametrize("kind", _KINDS)
def test_objects_look_like_those_of_fig2dev(kind: str) -> None:
    """Except for differences in antialiasing."""
    assert _difference(fig(_KINDS[kind])) < 8


@needs_fig2dev
def test_older_splines_look_like_those_of_fig2dev() -> None:
    """Quadratic splines with control points, and Bézier curves with handles."""
    points = "\t0 60 40 0 80 120 120 20 140 90 9999 9999\n"
    handles = "\t0 0 10 40 30 0 50 0 70 120 90 120 110 20 130 20 140 80 0 0\n"
    fields = "0 3 -1 0 0 0 0.000 0 0\n"
    for objects in (f"3 0 {fields}{points}", f"3 2 {fields}{points}{handles}"):
        assert _difference(fig_21(objects)) < 8


@needs_library
@pytest.mark.parametrize("start", range(4))
def test_the_drawings_of_xfig_are_read(start: int) -> None:
    """A part of its libraries; every image is larger than its margins."""
    files = sorted(_LIBRARY.rglob("*.fig"))[start * 20 :: 100]
    assert files
    for file in files:
        assert min(_drawn(file.read_bytes()).size) > _MARGINS, file


@needs_fig2dev
@needs_library
def test_the_drawings_of_xfig_look_like_those_of_fig2dev() -> None:
    """A few of each library; fonts and the antialiasing of thin lines differ."""
    files = sorted(_LIBRARY.rglob("*.fig"))[7::160]
    differences = sorted(_difference(file.read_bytes()) for file in files)
    assert differences[len(differences) // 2] < 6
    assert differences[-1] < 40
