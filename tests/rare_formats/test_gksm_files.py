"""GKSM: the layouts of its writers, and broken files."""

import io
import random
from collections.abc import Callable
from contextlib import suppress

import pytest

from imageconverter.engine.decoder_errors import DECODER_ERRORS
from rare_formats import gksm as reader
from rare_formats.gksm.header import read_header
from rare_formats.gksm.image import Drawing
from rare_formats.gksm.items import read_items
from tests.testing.gksm_drawings import (
    BLACK,
    BLUE,
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
    near,
    opened,
    text,
)
from tests.testing.gksm_files import Field, Item, binary, scaled, varkon, xgks


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
    """The header defines the widths, the prefix and the encoding of numbers."""
    items = (
        (1, 1),
        (71, 0.0, 1.0, 0.0, 0.5),
        SOLID,
        (40, 2),
        box(0.1, 0.1, 0.3, 0.4),
        (40, 4),
        box(0.5, 0.1, 0.9, 0.2),
    )

    image = opened(write(*items))

    assert (image.size, image.mode, image.info) == ((1024, 512), "RGB", {})
    pixels = [
        image.getpixel((int(x * 1024), int((0.5 - y) * 1024))) for x, y in ((0.2, 0.3), (0.7, 0.15), (0.7, 0.3))
    ]
    assert pixels == [RED, BLUE, WHITE]


def test_reals_can_be_stored_as_integers() -> None:
    """The header defines the integers for 0 and 1."""
    assert extent(opened(scaled(SOLID, box(0.25, 0.5, 0.75, 0.625)))) == near(0.25, 0.75, 0.5, 0.625)


def test_a_list_can_span_lines() -> None:
    """Even if items have no prefix."""
    data = xgks(SOLID, box(0.25, 0.25, 0.75, 0.75))
    wrapped = b"\n".join(line[at : at + 80] for line in data.split(b"\n") for at in range(0, len(line), 80))

    assert opened(wrapped).tobytes() == opened(data).tobytes()


def test_wrong_lengths_of_items_are_ignored() -> None:
    """XGKS counts four bytes for each cell instead of six; the number of cells is in the item's own counts."""
    image = drawn((15, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 3, 2, 2, 3, 4, 5, 6, 7), line(0, 0, 1, 1))
    wrong = opened(xgks(SOLID, box(0, 0, 1, 1)).replace(b" 14    94", b" 14     1"))

    assert color_at(image, 0.9, 0.7) == YELLOW
    assert color_at(wrong, 0.5, 0.5) == BLACK


def test_a_length_can_exceed_its_field() -> None:
    """XGKS writes such lengths for long lists."""
    data = xgks((15, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 500, 600, *[2] * 300_000))

    assert b" 151200072 " in data
    assert color_at(opened(data), 0.5, 0.5) == RED


def test_unknown_items_are_skipped() -> None:
    """Escapes, messages and private items, even if they contain the letters of the prefix."""
    items: tuple[Item, ...] = ((6, "GKSM  14"), (5, 3, "abc"), (101, "GKSM  11"), SOLID, box(0, 0, 1, 1))

    assert [color_at(opened(write(*items)), 0.5, 0.5) for write in (xgks, varkon, binary)] == [BLACK] * 3


def test_private_items_of_varkon_are_applied() -> None:
    """The window and line widths are in units of the model; areas are solid by default."""
    image = opened(
        varkon(
            (175, 0.0, 400.0, 100.0, 300.0, 0.0, 0.0), (173, 2), (174, 10.0), line(0.1, 0.25, 0.9, 0.25), (173, 0),
            box(0.4, 0.4, 0.6, 0.45),
        )
    )  # fmt: skip

    assert image.size == (1024, 512)
    column = [image.getpixel((300, y)) for y in range(512)]
    assert column.count(RED) == pytest.approx(1024 * 10 / 400, abs=2)
    assert image.getpixel((512, 512 - 435)) == BLACK


def test_private_items_of_other_programs_are_skipped() -> None:
    """The numbers of private items are not standardized."""
    assert color_at(drawn((173, 2), SOLID, box(0, 0, 1, 1)), 0.5, 0.5) == BLACK


_GOOD: tuple[tuple[Field, ...], ...] = (
    (71, 0.0, 1.0, 0.0, 0.5), (38, 2), (55, 1, 2, 2, 1, 2, 3, 4), box(0, 0, 0.4, 0.4), (22, 2), line(0, 0, 1, 1),
    (26, 4), markers(0.5, 0.5), (34, 0.0, 0.1, 0.1, 0.0), text(0.1, 0.1, "Text"), (38, 3), box(0.4, 0, 0.6, 0.4),
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
        (xgks(SOLID).replace(b" 1 0 3 6", b" 1 0 3 0"), "widths"),
        (xgks(SOLID).replace(b"11 1 1", b"11 3 1"), "form 3"),
        (scaled(SOLID).replace(b"10000", b"    0"), "the same"),
        (b"GKSM" + bytes(100), "invalid literal"),
    ],
)
def test_a_broken_file_is_refused(data: bytes, reason: str) -> None:
    """With a reason, and before memory of the announced size is allocated."""
    with pytest.raises((ValueError, SyntaxError), match=reason):
        reader.GksmImageFile(io.BytesIO(data)).load()


@pytest.mark.parametrize("write", [xgks, varkon, scaled, binary])
def test_a_damaged_file_is_read_or_refused(write: Callable[..., bytes]) -> None:
    """Every error is one of the exceptions that decoders may raise."""
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
