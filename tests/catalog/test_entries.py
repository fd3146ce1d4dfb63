"""Reading catalogs: what is taken, what is refused and how exactly that is said."""

import json
import string
from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imageconverter.catalog import Entry, Notation, read_entries
from imageconverter.catalog.entries import MAX_BROKEN_LINES
from imageconverter.catalog.image_name import image_name
from imageconverter.catalog.lines import MAX_LINE_BYTES
from imageconverter.errors import BrokenLine, InvalidValue
from imageconverter.images.names import file_name

CHAIR = b'{"id": "4711", "active": true, "images": ["chair.jpg", "chair-side.jpg"]}'
TABLE = '{"id": "Tisch 2", "active": false, "images": ["Höhe.jpg"], "price": 7}'.encode()
BOTH = [
    Entry(1, "4711", active=True, images=("chair.jpg", "chair-side.jpg")),
    Entry(2, "Tisch 2", active=False, images=("Höhe.jpg",)),
]
CSV = 'id,active,images\n4711,true,chair.jpg|chair-side.jpg\n"Tisch 2",0,Höhe.jpg\n'.encode()


async def stream(chunks: Sequence[bytes]) -> AsyncIterator[bytes]:
    """Send *chunks* one after the other."""
    for chunk in chunks:
        yield chunk


async def read(*chunks: bytes, notation: Notation = "ndjson") -> list[Entry]:
    """Read a whole catalog."""
    return [entry async for batch in read_entries(stream(chunks), notation) for entry in batch]


async def refused(text: bytes, notation: Notation = "ndjson") -> BrokenLine:
    """Return how a catalog is refused."""
    with pytest.raises(BrokenLine) as caught:
        await read(text, notation=notation)
    return caught.value


@pytest.mark.parametrize(
    "text",
    [
        CHAIR + b"\n" + TABLE + b"\n",
        CHAIR + b"\n" + TABLE,
        CHAIR + b"\r\n" + TABLE + b"\r\n",
        b"\xef\xbb\xbf" + CHAIR + b"\n" + TABLE,
    ],
    ids=["line feeds", "no feed at the end", "carriage returns", "byte order mark"],
)
async def test_entries_are_read_however_lines_end(text: bytes) -> None:
    """Windows and Unix, with a byte order mark and without."""
    assert await read(text) == BOTH


async def test_csv_says_the_same_as_ndjson() -> None:
    """Only the lines count on by one, for the header."""
    assert await read(CSV, notation="csv") == [entry._replace(line=entry.line + 1) for entry in BOTH]


async def test_columns_may_stand_in_any_order_with_others_between() -> None:
    """Their positions are in the header."""
    text = b"images,name,active,id\r\n,Chair,TRUE,1\r\na.jpg||a.jpg|b.jpg,Table,1,2\r\n"

    assert await read(text, notation="csv") == [
        Entry(2, "1", active=True, images=()),
        Entry(3, "2", active=True, images=("a.jpg", "b.jpg")),
    ]


async def test_empty_lines_are_passed_over_but_counted() -> None:
    """The numbers stay those of the file."""
    assert [entry.line for entry in await read(b"\n" + CHAIR + b"\n \r\n\n" + TABLE + b"\n\n")] == [2, 5]
    assert [entry.line for entry in await read(b"\nid,active,images\n\n1,1,\n", notation="csv")] == [4]


@pytest.mark.parametrize("notation", ["ndjson", "csv"])
async def test_an_empty_catalog_has_no_entries(notation: Notation) -> None:
    """It is not an error here; what it may be used for is decided elsewhere."""
    assert await read(b"", notation=notation) == []


async def test_names_are_kept_in_normal_form_c() -> None:
    """What a Mac has decomposed is the same name."""
    (entry,) = await read('{"id": "1", "active": true, "images": ["Ho\u0308he.jpg", "H\u00f6he.jpg"]}'.encode())

    assert entry.images == ("H\u00f6he.jpg",)


@pytest.mark.parametrize(
    ("line", "place", "words"),
    [
        (b'{"id": "1", "active": true, "images": [}', "column 40", "not valid JSON"),
        (b'{"id": "1", "active": true, "images": []', "column 40", "not valid JSON"),
        (b'{"id": "1"} {"id": "2"}', "column 13", "not valid JSON"),
        (b'{"id": "\xff", "active": true, "images": []}', "column 9", "UTF-8"),
        (b'{"id": "\\ud800", "active": true, "images": []}', "column 15", "not valid JSON"),
        (b'{"id": "1", "active": NaN, "images": []}', "column 23", "not valid JSON"),
        (b'\xef\xbb\xbf{"id": "1", "active": true, "images": []}', "column 1", "not valid JSON"),
        (b"[" * 10_000, "column 202", "recursion"),
        (b"9" * 10_000, "column 4302", "out of range"),
        (b"[]", "", "not a JSON object"),
        (b"null", "", "not a JSON object"),
        (b'{"active": true, "images": []}', "id", "missing"),
        (b'{"id": "1", "images": []}', "active", "missing"),
        (b'{"id": "1", "active": true, "image": []}', "images", "missing"),
        (b'{"id": 1, "active": true, "images": []}', "id", "not a string"),
        (b'{"id": "", "active": true, "images": []}', "id", "1 to 255"),
        (b'{"id": "a\\u0000", "active": true, "images": []}', "id", "control"),
        (b'{"id": "1", "active": "true", "images": []}', "active", "neither"),
        (b'{"id": "1", "active": 1, "images": []}', "active", "neither"),
        (b'{"id": "1", "active": true, "images": "a.jpg"}', "images", "not an array"),
        (b'{"id": "1", "active": true, "images": null}', "images", "not an array"),
        (b'{"id": "1", "active": true, "images": ["a.jpg", 7]}', "images[1]", "not a string"),
        (b'{"id": "1", "active": true, "images": ["a.jpg", "b/c.jpg"]}', "images[1]", "separator"),
        (b'{"id": "1", "active": true, "images": [""]}', "images[0]", "empty"),
        (b'{"id": "1", "active": true, "images": [".."]}', "images[0]", "dots"),
        (b'{"id": "1", "active": true, "images": ["' + b"a" * 256 + b'"]}', "images[0]", "255"),
        (b" " * MAX_LINE_BYTES + b"1", "", "longer than 512 KiB"),
    ],
    ids=lambda value: repr(value[:50]) if isinstance(value, bytes) else None,
)
async def test_a_broken_line_of_ndjson_is_named(line: bytes, place: str, words: str) -> None:
    """By its number, by the column or field, and by what is wrong."""
    error = await refused(CHAIR + b"\n" + line + b"\n" + TABLE + b"\n")

    assert (error.line, error.place) == (2, place)
    assert words in error.reason
    assert error.reason.startswith("Line 2")
    assert error.status == 400


@pytest.mark.parametrize(
    ("line", "place", "words"),
    [
        (b"1,true", "", "has 2 columns separated by commas, the header has 3"),
        (b"1,true,a.jpg,b.jpg", "", "has 4 columns"),
        (b"1,WAHR,a.jpg", "active", '"WAHR" is neither'),
        (b"1,,a.jpg", "active", "neither"),
        (b",1,a.jpg", "id", "1 to 255"),
        (b"a\x00b,1,a.jpg", "id", "control"),
        (b"1,1,a.jpg| b.jpg", "images[1]", "space"),
        (b'1,1,"a.jpg', "", "not CSV"),
        (b'1,1,"a\n.jpg"', "", "ends within quotes"),
        (b'1,1,"a.jpg"b', "", "not CSV"),
        (b'1,1,"a\rb"', "images[0]", "control"),
        (b"1,1,\xff", "column 5", "UTF-8; save it as UTF-8, in Excel as CSV UTF-8, if it is Windows-1252"),
        (b"1,1," + b"a.jpg|" * 25_000, "", "field larger"),
        (b"1,1," + b"a" * MAX_LINE_BYTES, "", "longer than 512 KiB"),
    ],
    ids=lambda value: repr(value[:50]) if isinstance(value, bytes) else None,
)
async def test_a_broken_line_of_csv_is_named(line: bytes, place: str, words: str) -> None:
    """As in NDJSON; the header is line 1."""
    error = await refused(b'id,active,images\n1,1,"a.jpg"\n' + line + b'\n3,1,"b.jpg"\n', "csv")

    assert (error.line, error.place) == (3, place)
    assert words in error.reason


@pytest.mark.parametrize("notation", ["ndjson", "csv"])
async def test_all_broken_lines_are_named(notation: Notation) -> None:
    """In their order, over several blocks, with what is wrong in each."""
    good = CHAIR if notation == "ndjson" else b"1,1,a.jpg"
    bad = [CHAIR.replace(b"true", b"1"), b'{"id": 1}'] if notation == "ndjson" else [b"1,yes,a.jpg", b"2,1"]
    lines = [b"id,active,images"] if notation == "csv" else [good]
    lines += [bad[0] if n == 1000 else bad[1] if n == 20_000 else good for n in range(2, 25_000)]
    error = await refused(b"\n".join(lines), notation)

    assert [(each.line, each.place) for each in (error, *error.others)] == [
        (1000, "active"),
        (20_000, "active" if notation == "ndjson" else ""),
    ]


async def test_no_more_broken_lines_are_read_than_are_reported() -> None:
    """A file of another kind is not read to its end."""
    sent = 0

    async def wrong() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1000
            yield b"no JSON\n" * 125

    with pytest.raises(BrokenLine) as caught:
        async for _ in read_entries(wrong(), "ndjson"):
            pass
    assert [each.line for each in (caught.value, *caught.value.others)] == [*range(1, MAX_BROKEN_LINES + 1)]
    assert sent < 1_000_000


async def test_lines_after_an_open_quote_are_not_guessed() -> None:
    """The lines before are named, and the one with the quote."""
    error = await refused(b'id,active,images\n1,?,a.jpg\n2,1,"a.jpg\n3,?,b.jpg\n', "csv")

    assert [each.line for each in (error, *error.others)] == [2, 3]


@pytest.mark.parametrize(
    ("header", "column", "there"),
    [
        (b"id,active", "images", 'separated by commas it has: "id", "active"'),
        (b"id,active,images,id", "id", 'separated by commas it has: "id", "active", "images", "id"'),
        (b"id;active;image", "images", 'separated by semicolons it has: "id", "active", "image"'),
        (b"id\tactive", "images", 'separated by tabs it has: "id", "active"'),
        (b"id/active/images", "id", 'separated by commas it has: "id/active/images"'),
        (b"4711,1,a.jpg", "id", 'separated by commas it has: "4711", "1", "a.jpg"'),
    ],
)
async def test_a_header_without_all_columns_is_refused(header: bytes, column: str, there: str) -> None:
    """Columns are not guessed; the first that is missing or repeated is named, and what there is."""
    error = await refused(header + b"\n1,1,a.jpg\n", "csv")

    problem = "the header must contain each of the columns id, active and images exactly once; "
    assert (error.line, error.place, error.reason) == (1, column, f"Line 1, {column}: {problem}{there}.")


@given(data=st.data(), broken=st.sampled_from([b"", b"\xff\n"]), notation=st.sampled_from(["ndjson", "csv"]))
async def test_it_does_not_matter_where_chunks_end(data: st.DataObject, broken: bytes, notation: Notation) -> None:
    """Not even inside of a character or between carriage return and line feed."""
    text = (b"\xef\xbb\xbf" + CHAIR + b"\r\n\n" + TABLE + b"\n") if notation == "ndjson" else CSV
    text += broken + text
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)))))
    chunks = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]

    assert await outcome(chunks, notation) == await outcome([text], notation)


async def outcome(chunks: Sequence[bytes], notation: Notation) -> list[Entry] | str:
    """Return the entries or why there are none."""
    try:
        return await read(*chunks, notation=notation)
    except BrokenLine as error:
        return error.reason


async def test_many_blocks_count_their_lines_on() -> None:
    """Lines have the numbers that an editor shows, far down too."""
    numbers = range(1, 1001)
    entries = ({"id": str(number), "active": True, "images": [], "text": "x" * 3000} for number in numbers)
    text = "\n".join(map(json.dumps, entries)).encode()
    found = await read(*(text[start : start + 1000] for start in range(0, len(text), 1000)))

    assert [(entry.line, entry.id) for entry in found] == [(number, str(number)) for number in numbers]


async def test_of_a_line_without_end_no_more_is_read_than_it_takes_to_see_that() -> None:
    """Ten megabytes or a terabyte: the stream is left after half a megabyte, and the line before was read."""
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield CHAIR + b"\n"
        while True:
            sent += 1000
            yield b"x" * 1000

    with pytest.raises(BrokenLine) as caught:
        async for _ in read_entries(endless(), "ndjson"):
            pass
    assert caught.value.line == 2
    assert sent <= MAX_LINE_BYTES + 2000


@given(
    st.text(alphabet=string.printable + "äß\u0308\u2028", max_size=20)
    | st.builds(str.__mul__, st.sampled_from("a.ä"), st.integers(250, 260))
    | st.text()
)
def test_names_are_taken_and_refused_as_those_of_all_files(name: str) -> None:
    """The short way says nothing that the long way does not say."""
    assert tried(image_name, name) == tried(file_name, name)


def tried(check: Callable[[str], str], name: str) -> str:
    """Return what *check* makes of *name*, or why it refuses it."""
    try:
        return check(name)
    except InvalidValue as error:
        return error.reason


NDJSON_ENTRY = '{{"id": "1", "active": true, "images": ["a.jpg"], "subshops": {}}}'
CSV_ENTRIES = "id,active,images,subshops\n1,true,a.jpg,{}\n"


async def with_subshops(text: str, notation: Notation) -> list[Entry]:
    """Return the entries of a catalog where the subshops main and outdoor are known."""
    batches = read_entries(stream([text.encode()]), notation, {"main", "outdoor"})
    return [entry async for batch in batches for entry in batch]


@pytest.mark.parametrize(
    ("ndjson", "csv", "subshops"),
    [
        ('["main"]', "main", ("main",)),
        ('["outdoor", "main", "outdoor"]', "outdoor|main|outdoor", ("outdoor", "main")),
        ("[]", "", ()),
    ],
)
async def test_an_entry_may_be_of_some_subshops(ndjson: str, csv: str, subshops: tuple[str, ...]) -> None:
    """By a field, or by a column."""
    assert [each.subshops for each in await with_subshops(NDJSON_ENTRY.format(ndjson), "ndjson")] == [subshops]
    assert [each.subshops for each in await with_subshops(CSV_ENTRIES.format(csv), "csv")] == [subshops]


@pytest.mark.parametrize("value", ['["other"]', '["main", "Main"]', "[7]", "[[]]", "[null]", '[""]'])
async def test_an_unknown_subshop_of_an_entry_is_named_with_its_line(value: str) -> None:
    """Images of a mistyped one would be unused."""
    with pytest.raises(BrokenLine) as caught:
        await with_subshops(NDJSON_ENTRY.format(value), "ndjson")

    position = 1 if "main" in value else 0
    assert caught.value.reason == f"Line 1, subshops[{position}]: is not the id of a subshop."


async def test_a_list_of_subshops_that_is_none_is_refused() -> None:
    """As one of images."""
    with pytest.raises(BrokenLine, match="Line 1, subshops: is not an array"):
        await with_subshops(NDJSON_ENTRY.format('"main"'), "ndjson")
    with pytest.raises(BrokenLine, match=r"Line 2, subshops\[0\]: is not the id of a subshop"):
        await with_subshops(CSV_ENTRIES.format("other"), "csv")
