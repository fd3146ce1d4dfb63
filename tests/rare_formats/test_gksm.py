"""GKSM: the layouts of its writers, primitives and what they look like, segments, and the first image alone."""

import io
import random
from collections.abc import Callable
from contextlib import suppress

import pytest
from PIL import Image

from imageconverter.engine.decoder_errors import DECODER_ERRORS
from rare_formats import gksm as reader
from rare_formats.gksm.header import read_header
from rare_formats.gksm.image import Drawing
from rare_formats.gksm.items import read_items
from tests.testing.gksm_files import Field, Item, binary, scaled, varkon, xgks

_WHITE, _BLACK, _RED, _GREEN, _BLUE = (255, 255, 255), (0, 0, 0), (255, 0, 0), (0, 255, 0), (0, 0, 255)
_CYAN, _MAGENTA, _YELLOW = (0, 255, 255), (255, 0, 255), (255, 255, 0)
_SOLID: Item = (38, 1)


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=[reader.GksmImageFile.format])


def _drawn(*items: Item) -> Image.Image:
    return _opened(xgks(*items))


def _line(*numbers: float) -> Item:
    return 11, len(numbers) // 2, *map(float, numbers)


def _markers(*numbers: float) -> Item:
    return 12, len(numbers) // 2, *map(float, numbers)


def _area(*numbers: float) -> Item:
    return 14, len(numbers) // 2, *map(float, numbers)


def _box(left: float, low: float, right: float, high: float) -> Item:
    return _area(left, low, right, low, right, high, left, high)


def _text(x: float, y: float, text: str) -> Item:
    return 13, float(x), float(y), len(text), text


def _at(image: Image.Image, x: float, y: float) -> tuple[int, ...]:
    """Return the pixel at normalized coordinates, of an image whose window is the unit square."""
    pixel = image.getpixel((int(x * image.width), int((1 - y) * image.height)))
    assert isinstance(pixel, tuple)
    return pixel


def _extent(image: Image.Image) -> tuple[float, float, float, float]:
    """Return the left, right, lower and upper end of what is not white, in normalized coordinates."""
    left, top, right, bottom = image.convert("L").point(lambda level: 255 * (level < 200)).getbbox() or (0, 0, 0, 0)
    return left / 1024, right / 1024, 1 - bottom / 1024, 1 - top / 1024


def _near(*numbers: float) -> object:
    return pytest.approx(numbers, abs=0.004)


# --- layouts ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "write",
    [
        xgks,
        scaled,
        varkon,
        binary,
        lambda *items: binary(*items, order="<"),
        lambda *items: binary(*items, prefix=0),
        lambda *items: xgks(*items).replace(b"\n", b"\r\n"),
        lambda *items: varkon(*items, header=" 1 2 4 6 610 1 1").replace(b"GKSM ", b"GK "),
    ],
    ids=["XGKS", "scaled", "Varkon", "binary", "little-endian", "no prefix", "CRLF", "short prefix"],
)
def test_every_layout_gives_the_same_image(write: Callable[..., bytes]) -> None:
    """Widths, prefix and form of the numbers are those that the header says."""
    items = (
        (1, 1),
        (71, 0.0, 1.0, 0.0, 0.5),
        _SOLID,
        (40, 2),
        _box(0.1, 0.1, 0.3, 0.4),
        (40, 4),
        _box(0.5, 0.1, 0.9, 0.2),
    )

    image = _opened(write(*items))

    assert (image.size, image.mode, image.info) == ((1024, 512), "RGB", {})
    pixels = [
        image.getpixel((int(x * 1024), int((0.5 - y) * 1024))) for x, y in ((0.2, 0.3), (0.7, 0.15), (0.7, 0.3))
    ]
    assert pixels == [_RED, _BLUE, _WHITE]


def test_reals_may_be_written_as_whole_numbers() -> None:
    """The header says which ones stand for 0 and 1."""
    assert _extent(_opened(scaled(_SOLID, _box(0.25, 0.5, 0.75, 0.625)))) == _near(0.25, 0.75, 0.5, 0.625)


def test_a_list_may_go_on_on_the_next_line() -> None:
    """Also where items have no prefix."""
    data = xgks(_SOLID, _box(0.25, 0.25, 0.75, 0.75))
    wrapped = b"\n".join(line[at : at + 80] for line in data.split(b"\n") for at in range(0, len(line), 80))

    assert _opened(wrapped).tobytes() == _opened(data).tobytes()


def test_lengths_that_are_wrong_do_no_harm() -> None:
    """XGKS counts four bytes for each cell instead of six; counts say how many there are."""
    image = _drawn((15, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 3, 2, 2, 3, 4, 5, 6, 7), _line(0, 0, 1, 1))
    wrong = _opened(xgks(_SOLID, _box(0, 0, 1, 1)).replace(b" 14    94", b" 14     1"))

    assert _at(image, 0.9, 0.7) == _YELLOW
    assert _at(wrong, 0.5, 0.5) == _BLACK


def test_a_length_may_be_longer_than_its_field() -> None:
    """As XGKS writes it for long lists."""
    data = xgks((15, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 500, 600, *[2] * 300_000))

    assert b" 151200072 " in data
    assert _at(_opened(data), 0.5, 0.5) == _RED


def test_unknown_items_are_skipped() -> None:
    """Escapes, messages and what is private, even where they hold the letters of the prefix."""
    items: tuple[Item, ...] = ((6, "GKSM  14"), (5, 3, "abc"), (101, "GKSM  11"), _SOLID, _box(0, 0, 1, 1))

    assert [_at(_opened(write(*items)), 0.5, 0.5) for write in (xgks, varkon, binary)] == [_BLACK] * 3


def test_the_private_items_of_varkon_are_known() -> None:
    """Its window in units of the model, pens and widths in them; areas are solid."""
    image = _opened(
        varkon(
            (175, 0.0, 400.0, 100.0, 300.0, 0.0, 0.0), (173, 2), (174, 10.0), _line(0.1, 0.25, 0.9, 0.25), (173, 0),
            _box(0.4, 0.4, 0.6, 0.45),
        )
    )  # fmt: skip

    assert image.size == (1024, 512)
    column = [image.getpixel((300, y)) for y in range(512)]
    assert column.count(_RED) == pytest.approx(1024 * 10 / 400, abs=2)
    assert image.getpixel((512, 512 - 435)) == _BLACK


def test_private_items_of_others_are_not_taken_for_varkons() -> None:
    """Their numbers may mean anything."""
    assert _at(_drawn((173, 2), _SOLID, _box(0, 0, 1, 1)), 0.5, 0.5) == _BLACK


# --- primitives ---------------------------------------------------------------------------------
def test_a_line_has_width_and_color() -> None:
    """Its width is a multiple of a thousandth of the longer side."""
    image = _drawn((23, 10.0), (24, 3), _line(0, 0.5, 1, 0.5))

    column = [image.getpixel((512, y)) for y in range(1024)]
    assert column.count(_GREEN) == pytest.approx(10, abs=1)
    assert _at(image, 0.5, 0.5) == _GREEN


@pytest.mark.parametrize(("kind", "share"), [(1, 1.0), (2, 2 / 3), (3, 1 / 3), (4, 9.5 / 15.5), (99, 1.0)])
def test_line_types_have_gaps(kind: int, share: float) -> None:
    """Solid, dashed, dotted, dashed and dotted; what is not known is solid."""
    image = _drawn((22, kind), (23, 4.0), _line(0, 0.5, 1, 0.5))

    row = [image.getpixel((x, 512)) for x in range(1024)]
    assert sum(255 - pixel[0] for pixel in row if isinstance(pixel, tuple)) / 255 / 1024 == pytest.approx(
        share, abs=0.06
    )


@pytest.mark.parametrize(
    ("kind", "along", "diagonal"), [(2, True, False), (3, True, True), (4, False, False), (5, False, True)]
)
def test_markers_have_their_shapes(kind: int, along: bool, diagonal: bool) -> None:  # noqa: FBT001 -- what is expected
    """Plus, star, circle and cross, as large as is said."""
    image = _drawn((26, kind), (27, 100.0), (28, 4), _markers(0.5, 0.5))

    assert (_at(image, 0.5, 0.5) == _WHITE) == (kind == 4)
    ink = image.convert("L").point(lambda level: 255 * (level < 200))
    radius = 100 / 1024
    assert bool(_near_ink(ink, 0.5, 0.5 + radius * 0.75)) == along
    slope = (0.87, 0.5) if kind == 3 else (0.71, 0.71)
    assert bool(_near_ink(ink, 0.5 + slope[0] * radius * 0.75, 0.5 + slope[1] * radius * 0.75)) == diagonal
    left, right, low, high = _extent(image)
    assert max(right - left, high - low) == pytest.approx(2 * radius if kind < 5 else 1.42 * radius, abs=0.004)


def _near_ink(ink: Image.Image, x: float, y: float) -> int:
    column, row = round(x * 1024), round((1 - y) * 1024)
    return len([pixel for pixel in ink.crop((column - 3, row - 3, column + 3, row + 3)).tobytes() if pixel])


def test_an_area_may_be_hollow_solid_or_hatched() -> None:
    """Hollow is how it begins: an edge and nothing within."""
    image = _drawn(
        (40, 2),
        _box(0.1, 0.1, 0.3, 0.3),
        (38, 1),
        _box(0.4, 0.1, 0.6, 0.3),
        (38, 3),
        (39, 1),
        _box(0.7, 0.1, 0.9, 0.3),
    )

    assert (_at(image, 0.2, 0.2), _at(image, 0.5, 0.2)) == (_WHITE, _RED)
    assert {image.getpixel((x, 800)) for x in range(100, 106)} != {_WHITE}
    hatched = image.crop((int(0.72 * 1024), 740, int(0.88 * 1024), 900))
    assert 1 < len(set(hatched.resize((1, 160)).tobytes())) < 100
    assert hatched.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0)) == pytest.approx((255, 223, 223), abs=4)


def test_a_pattern_fills_an_area() -> None:
    """With its cells, as large as is said."""
    size = 16 / 1024
    image = _drawn((55, 2, 2, 1, 3, 4), (41, size, 0.0, 0.0, size / 2), (38, 2), (39, 2), _box(0, 0, 1, 1))

    assert [image.getpixel((x, 500)) for x in (2, 6, 10, 14, 18)] == [_GREEN, _GREEN, _BLUE, _BLUE, _GREEN]


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
    image = _drawn((15, *corners, 3, 2, 2, 3, 4, 5, 6, 7))

    x, y, opposite_x, opposite_y, along_x, along_y = corners
    centers = [((column + 0.5) / 3, (row + 0.5) / 2) for row in range(2) for column in range(3)]
    right, down = (along_x - x, along_y - y), (opposite_x - along_x, opposite_y - along_y)
    found = [_at(image, x + u * right[0] + v * down[0], y + u * right[1] + v * down[1]) for u, v in centers]
    assert found == [_RED, _GREEN, _BLUE, _CYAN, _MAGENTA, _YELLOW]


def test_colors_may_be_set() -> None:
    """Parts are between 0 and 1; what is not set is black."""
    image = _drawn((56, 2, 0.0, 0.5, 2.0), (40, 2), _SOLID, _box(0, 0, 0.5, 1), (40, 77), _box(0.5, 0, 1, 1))

    assert (_at(image, 0.2, 0.5), _at(image, 0.8, 0.5)) == ((0, 128, 255), _BLACK)


def test_bundles_hold_where_the_flags_say_so() -> None:
    """Each aspect has its own flag: here the interior is bundled, the color is not, until the second flags."""
    first, second = [1] * 10 + [0, 1, 1], [1] * 10 + [0, 1, 0]
    image = _drawn(
        (54, 9, 1, 1, 4),
        (38, 0),
        (40, 2),
        (37, 9),
        (43, *first),
        _box(0, 0, 0.5, 1),
        (43, *second),
        _box(0.5, 0, 1, 1),
    )

    assert (_at(image, 0.2, 0.5), _at(image, 0.8, 0.5)) == (_RED, _BLUE)


def test_lines_and_markers_and_texts_have_bundles_too() -> None:
    """Representations set them."""
    image = _drawn(
        (43, *[0] * 13), (51, 7, 1, 20.0, 2), (52, 7, 4, 30.0, 3), (53, 7, 1, 0, 1.0, 0.0, 4),
        (34, 0.0, 0.2, 0.2, 0.0), (21, 7), (25, 7), (29, 7),
        _line(0, 0.9, 1, 0.9), _markers(0.5, 0.2), _text(0.4, 0.5, "I"),
    )  # fmt: skip

    assert {_RED, _GREEN, _BLUE} <= {color for _, color in image.getcolors(100_000) or []}


def test_clipping_holds_until_it_changes() -> None:
    """It is left, right, lower and upper side."""
    image = _drawn(_SOLID, (61, 0.2, 0.4, 0.5, 0.8), _box(0, 0, 1, 1), (61, 0.0, 1.0, 0.0, 1.0), _box(0.6, 0, 0.7, 1))

    assert [_at(image, x, y) for x, y in ((0.3, 0.6), (0.3, 0.4), (0.5, 0.6), (0.65, 0.1))] == [
        _BLACK, _WHITE, _WHITE, _BLACK,
    ]  # fmt: skip


# --- texts --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("horizontal", "vertical", "left", "low"),
    [(0, 0, 0, 0), (1, 4, 0, 0), (2, 4, -0.5, 0), (3, 4, -1, 0), (1, 2, 0, -1), (1, 3, 0, -0.5)],
)
def test_a_text_is_aligned(horizontal: int, vertical: int, left: float, low: float) -> None:
    """By its ends and center, its baseline, half and cap line; a capital is as high as its vector is long."""
    image = _drawn((34, 0.0, 0.1, 0.1, 0.0), (36, horizontal, vertical), _text(0.5, 0.5, "HIH"))

    x0, x1, y0, y1 = _extent(image)
    assert y1 - y0 == pytest.approx(0.1, abs=0.004)
    assert y0 == pytest.approx(0.5 + low * 0.1, abs=0.004)
    assert x0 == pytest.approx(0.5 + left * (x1 - x0), abs=0.02)


def test_a_text_follows_its_vectors() -> None:
    """Here it goes up, in letters of double width."""
    plain = _extent(_drawn((34, 0.0, 0.1, 0.1, 0.0), _text(0.5, 0.2, "HIH")))
    turned = _extent(_drawn((34, -0.1, 0.0, 0.0, 0.2), _text(0.5, 0.2, "HIH")))

    assert turned[1] - turned[0] == pytest.approx(plain[3] - plain[2], abs=0.004)
    assert turned[3] - turned[2] == pytest.approx(2 * (plain[1] - plain[0]), abs=0.008)
    assert turned[1] == pytest.approx(0.5, abs=0.004)


def test_expansion_and_spacing_make_a_text_longer() -> None:
    """The one its letters, the other the gaps between them: two of three heights each."""
    vectors: Item = (34, 0.0, 0.05, 0.05, 0.0)
    plain = _extent(_drawn(vectors, _text(0.1, 0.5, "HHH")))
    wide = _extent(_drawn(vectors, (31, 2.0), _text(0.1, 0.5, "HHH")))
    spaced = _extent(_drawn(vectors, (32, 3.0), _text(0.1, 0.5, "HHH")))

    both = _extent(_drawn(vectors, (31, 2.0), (32, 3.0), (36, 2, 0), _text(0.5, 0.5, "HHH")))

    assert wide[1] - wide[0] == pytest.approx(2 * (plain[1] - plain[0]), abs=0.01)
    assert both[1] - both[0] == pytest.approx(wide[1] - wide[0] + 2 * 3 * 0.05, abs=0.01)
    assert (both[0] + both[1]) / 2 == pytest.approx(0.5, abs=0.004), "it is centered"
    assert spaced[1] - spaced[0] == pytest.approx(plain[1] - plain[0] + 2 * 3 * 0.05, abs=0.01)


@pytest.mark.parametrize(
    ("path", "vertical", "low", "high"), [(3, 0, 0.26, 0.5), (2, 0, 0.5, 0.74), (3, 4, 0.5, 0.74), (2, 3, 0.38, 0.62)]
)
def test_a_text_may_be_a_column(path: int, vertical: int, low: float, high: float) -> None:
    """It hangs from its position where it goes down, and stands on it where it goes up."""
    image = _drawn((34, 0.0, 0.1, 0.1, 0.0), (35, path), (36, 0, vertical), _text(0.5, 0.5, "HI"))

    left, right, y0, y1 = _extent(image)
    assert (y0, y1) == _near(low, high)
    assert (left + right) / 2 == pytest.approx(0.5, abs=0.01)
    upper = image.crop((0, 0, 1024, int((1 - (low + high) / 2) * 1024)))
    box = upper.convert("L").point(lambda level: 255 * (level < 128)).getbbox() or (0, 0, 0, 0)
    assert (box[2] - box[0] > 50) == (path == 3), "the letter on top: H is wide, I is not"


def test_a_text_may_go_to_the_left() -> None:
    """Its letters stand in the other order, before its position."""
    left = _drawn((34, 0.0, 0.1, 0.1, 0.0), (35, 1), _text(0.5, 0.5, "IHH"))
    right = _drawn((34, 0.0, 0.1, 0.1, 0.0), (36, 3, 0), _text(0.5, 0.5, "HHI"))

    assert left.tobytes() == right.tobytes()


# --- images and segments ----------------------------------------------------------------------
def test_the_window_is_what_is_seen() -> None:
    """Its longer side has 1024 pixels."""
    image = _drawn((71, 0.25, 0.5, 0.5, 1.0), _SOLID, (40, 2), _box(0.25, 0.5, 0.375, 1), (71, 0.0, 1.0, 0.0, 1.0))

    assert image.size == (512, 1024)
    assert (image.getpixel((100, 500)), image.getpixel((400, 500))) == (_RED, _WHITE)


def test_only_the_first_image_is_drawn() -> None:
    """It begins after the clearing before anything is drawn, and ends with the next one."""
    image = _drawn((1, 1), _SOLID, (1, 1), _box(0, 0, 0.5, 1), (1, 1), _box(0.5, 0, 1, 1))

    assert (_at(image, 0.2, 0.5), _at(image, 0.8, 0.5)) == (_BLACK, _WHITE)


def test_what_follows_the_end_does_not_count() -> None:
    """Not even if it is nonsense."""
    image = _opened(xgks(_SOLID, _box(0, 0, 1, 1)) + b"nonsense")

    assert _at(image, 0.5, 0.5) == _BLACK


def _segment(name: int, *items: Item) -> tuple[Item, ...]:
    return (81, name), *items, (82,)


def test_a_segment_is_moved_by_its_transform() -> None:
    """Though that comes after it: here it is halved, turned by a quarter and moved."""
    image = _drawn(_SOLID, *_segment(1, _box(0, 0, 0.4, 0.2)), (91, 1, 0.0, -0.5, 0.5, 0.5, 0.0, 0.5))

    assert _extent(image) == _near(0.4, 0.5, 0.5, 0.7)


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
def test_a_segment_may_be_hidden_renamed_and_deleted(change: tuple[Item, ...], seen: bool) -> None:  # noqa: FBT001 -- what is expected
    """By its name."""
    image = _drawn(_SOLID, *_segment(1, _box(0, 0, 1, 1)), *change)

    assert (_at(image, 0.5, 0.5) == _BLACK) == seen


def test_a_segment_of_higher_priority_is_on_top() -> None:
    """Whenever it was made."""
    red, blue = (_segment(name, _SOLID, (40, color), _box(0, 0, 1, 1)) for name, color in ((1, 2), (2, 4)))

    assert _at(_drawn(*red, *blue), 0.5, 0.5) == _BLUE
    assert _at(_drawn(*red, *blue, (94, 1, 0.5)), 0.5, 0.5) == _RED


def test_redrawing_leaves_the_segments_alone() -> None:
    """What was drawn outside of them before is gone."""
    image = _drawn(_SOLID, *_segment(1, _box(0, 0, 0.3, 1)), _box(0.3, 0, 0.6, 1), (2,), _box(0.6, 0, 0.9, 1))

    assert [_at(image, x, 0.5) for x in (0.1, 0.5, 0.8)] == [_BLACK, _WHITE, _BLACK]


# --- broken files -------------------------------------------------------------------------------
_GOOD: tuple[tuple[Field, ...], ...] = (
    (71, 0.0, 1.0, 0.0, 0.5), (38, 2), (55, 1, 2, 2, 1, 2, 3, 4), _box(0, 0, 0.4, 0.4), (22, 2), _line(0, 0, 1, 1),
    (26, 4), _markers(0.5, 0.5), (34, 0.0, 0.1, 0.1, 0.0), _text(0.1, 0.1, "Text"), (38, 3), _box(0.4, 0, 0.6, 0.4),
    (81, 1), (15, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 2, 2, 1, 2, 3, 4), (82,), (91, 1, 0.5, 0.0, 0.0, 0.0, 0.5, 0.0),
)  # fmt: skip


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (xgks((11, 3, 0.0, 0.0, 1.0, 1.0))[:-12], "truncated"),
        (xgks((11, 99_999, 0.0, 0.0)), "truncated"),
        (xgks((14, -2, 0.0, 0.0)), "truncated"),
        (binary((14, 2_000_000_000)), "truncated"),
        (xgks((15, *[0.0] * 6, 99_999, 99_999, 1)), "truncated"),
        (xgks((15, *[0.0] * 6, -1, -1, 1)), "empty"),
        (xgks((11, 2, 0.0, "        nan", 0.0, 0.0)), "not a number"),
        (xgks((11, 2, 0.0, "       1e99", 0.0, 0.0)), "not a number"),
        (xgks((71, 0.0, 0.0, 0.0, 1.0)), "window"),
        (xgks((1, "     x")), "invalid literal"),
        (xgks(_SOLID).replace(b" 1 0 3 6", b" 1 0 3 0"), "widths"),
        (xgks(_SOLID).replace(b"11 1 1", b"11 3 1"), "form 3"),
        (scaled(_SOLID).replace(b"10000", b"    0"), "the same"),
        (b"GKSM" + bytes(100), "invalid literal"),
    ],
)
def test_a_broken_file_is_refused(data: bytes, reason: str) -> None:
    """With the reason, and before anything of the size that it claims is allocated."""
    with pytest.raises((ValueError, SyntaxError), match=reason):
        reader.GksmImageFile(io.BytesIO(data)).load()


@pytest.mark.parametrize("write", [xgks, varkon, scaled, binary])
def test_a_damaged_file_is_read_or_refused(write: Callable[..., bytes]) -> None:
    """Every error is one of those that decoders may raise."""
    chance = random.Random(7)  # noqa: S311 -- damage, no secret
    good = write(*_GOOD)
    read = 0
    for _ in range(300):
        data = bytearray(good)
        for _ in range(chance.randrange(1, 4)):
            data[chance.randrange(52, len(data))] = chance.choice(b"0123456789 -.\n\xff\0")
        with suppress(*DECODER_ERRORS):
            header = read_header(bytes(data))
            Drawing(header, read_items(bytes(data), header))
            read += 1
    assert 0 < read < 300
