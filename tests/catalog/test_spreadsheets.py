"""CSV as spreadsheets write it: the separators and encodings of Excel in several countries."""

import codecs

import pytest

from imageconverter.catalog import Entry
from tests.catalog.test_entries import read, refused

ROWS = [["id", "active", "images", "price"], ["4711", "1", "chair.jpg|Höhe.jpg", "1,50"], ["12", "0", "", "7;-"]]
ENTRIES = [Entry(2, "4711", active=True, images=("chair.jpg", "Höhe.jpg")), Entry(3, "12", active=False, images=())]


def csv(separator: str) -> str:
    """Return the rows as Excel saves them: cells that contain a separator are in quotes."""
    return "".join(
        separator.join(f'"{cell}"' if separator in cell else cell for cell in row) + "\r\n" for row in ROWS
    )


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 10_000])
async def test_separator_and_encoding_are_recognized(separator: str, mark: bytes, encoding: str, size: int) -> None:
    """German Excel writes semicolons, "Unicode text" is UTF-16 with tabs; in whatever chunks they arrive."""
    text = mark + csv(separator).encode(encoding)

    assert await read(*(text[at : at + size] for at in range(0, len(text), size)), notation="csv") == ENTRIES


async def test_a_header_in_quotes_is_recognized() -> None:
    """LibreOffice can quote all texts."""
    assert await read(b'"id";"active";"images"\n"1";"1";"a.jpg"\n', notation="csv") == [
        Entry(2, "1", active=True, images=("a.jpg",))
    ]


async def test_a_first_line_may_name_the_separator() -> None:
    """Excel reads it; it counts as a line."""
    assert await read(b"sep=;\r\n" + csv(";").encode(), notation="csv") == [
        entry._replace(line=entry.line + 1) for entry in ENTRIES
    ]


async def test_a_semicolon_in_a_cell_does_not_separate() -> None:
    """The columns of the header decide, not the number of separators."""
    header = b"id,active,images,a;b;c;d;e\n"

    assert await read(header + b"1,1,a.jpg,x\n", notation="csv") == [Entry(2, "1", active=True, images=("a.jpg",))]


async def test_broken_utf_16_is_refused_with_its_line() -> None:
    """Half a surrogate pair, and half a character at the end."""
    text = codecs.BOM_UTF16_LE + csv(";").encode("utf-16-le")

    assert (await refused(text + b"\x00\xd8;\x00", "csv")).reason == "Line 4: is not UTF-16."
    assert (await refused(text + b"\x0a", "csv")).reason == "Line 4: is not UTF-16."
