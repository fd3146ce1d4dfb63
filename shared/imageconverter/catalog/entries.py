"""The entries of a catalog, read and checked line by line from NDJSON or CSV.

An entry has an ``id``, is ``active`` or not, and names its ``images``::

    {"id": "4711", "active": true, "images": ["chair.jpg", "chair-side.jpg"]}

    id,active,images
    4711,true,chair.jpg|chair-side.jpg

An entry may also have ``subshops``, ids in a list like ``images``; without any, it is an entry of all subshops.

The text is UTF-8, or UTF-16 with a byte order mark, with one entry a line; empty lines and additional fields and
columns are ignored. In CSV (RFC 4180, without line breaks in quotes) columns are separated by commas, semicolons or
tabs, whichever the header has, ``active`` is true, false, 1 or 0, and names are separated by ``|``; a name that
contains a ``|`` requires NDJSON. A name is a file name without folders, stored in Unicode normal form C. An id must
be unique: several rows are not merged into one entry.
"""

import asyncio
import csv
import re
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from functools import partial
from typing import Any, Final, Literal, NamedTuple

from pydantic_core import from_json

from imageconverter.catalog.encoding import utf8
from imageconverter.catalog.image_name import image_name
from imageconverter.catalog.lines import Block, blocks, check_length
from imageconverter.errors import BrokenLine, InvalidValue
from imageconverter.quoting import listed, quoted

Notation = Literal["ndjson", "csv"]

MAX_BROKEN_LINES: Final = 100
"""Maximum number of invalid lines that are reported."""

FIELDS: Final = ("id", "active", "images")
SUBSHOPS: Final = "subshops"

_ID = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]{1,255}")
_ACTIVE = {"true": True, "false": False, "1": True, "0": False}
_SEPARATORS: Final = {",": "commas", ";": "semicolons", "\t": "tabs"}
_SEPARATOR_LINE = re.compile(rb"sep=[,;\t]\r?")  # the first line of a file for Excel
_JSON_ERROR = re.compile(r"(.*) at line 1 (column \d+)", re.DOTALL)


class Entry(NamedTuple):
    """One product, category or app page with the names of its images."""

    line: int
    id: str
    active: bool
    images: tuple[str, ...]
    """In Unicode normal form C, without duplicates."""
    subshops: tuple[str, ...] = ()
    """Ids; of all subshops if there are none."""


async def read_entries(
    chunks: AsyncIterator[bytes], notation: Notation, subshops: Collection[str] = ()
) -> AsyncIterator[list[Entry]]:
    """Yield the entries of a catalog, some thousands at a time; memory use does not grow with the catalog.

    *subshops* has the ids that there are. Raises BrokenLine for the first invalid line, followed by other ones, up to
    `MAX_BROKEN_LINES`. Duplicate ids are not detected here.
    """
    parse = partial(_ndjson, known=subshops) if notation == "ndjson" else _CsvParser(subshops).parse
    broken: list[BrokenLine] = []
    try:
        async for block in blocks(utf8(chunks)):
            # In a thread: a block takes about ten milliseconds, which would block the event loop.
            entries = await asyncio.to_thread(_valid, parse(block), broken)
            if len(broken) >= MAX_BROKEN_LINES:
                break
            if not broken:
                yield entries
    except BrokenLine as error:  # it is not known where the next line begins
        broken.append(error)
    if broken:
        first, *others = broken
        raise first.followed_by(others)


def _valid(parsed: Iterator[Entry | BrokenLine], broken: list[BrokenLine]) -> list[Entry]:
    """Return the entries that are valid, and append the lines that are not to *broken*."""
    entries = []
    for each in parsed:
        if isinstance(each, Entry):
            entries.append(each)
        else:
            broken.append(each)
            if len(broken) >= MAX_BROKEN_LINES:
                break
    return entries


def _ndjson(block: Block, *, known: Collection[str]) -> Iterator[Entry | BrokenLine]:
    for number, line in enumerate(block.lines, block.first):
        if line and not line.isspace():
            check_length(number, line)
            try:
                yield _json_entry(number, line, known)
            except BrokenLine as error:
                yield error


def _json_entry(number: int, line: bytes, known: Collection[str]) -> Entry:
    try:
        record = from_json(line, allow_inf_nan=False, cache_strings="keys")
    except ValueError as error:
        raise _json_error(number, str(error)) from None
    if type(record) is not dict:
        raise BrokenLine(number, "", "is not a JSON object.")
    for name in FIELDS:
        if name not in record:
            raise BrokenLine(number, name, "is missing.")
    if type(record["active"]) is not bool:
        raise BrokenLine(number, "active", "is neither true nor false.")
    if type(record["images"]) is not list:
        raise BrokenLine(number, "images", "is not an array.")
    subshops = record.get(SUBSHOPS, [])
    if type(subshops) is not list:
        raise BrokenLine(number, SUBSHOPS, "is not an array.")
    images = _names(number, record["images"])
    return Entry(number, _id(number, record["id"]), record["active"], images, _subshops(number, subshops, known))


def _json_error(line: int, message: str) -> BrokenLine:
    found = _JSON_ERROR.fullmatch(message)
    problem, column = found.groups() if found else (message, "")
    return BrokenLine(line, column, f"is not valid JSON encoded as UTF-8 ({problem}).")


class _CsvParser:
    """Reads the header, then the rows."""

    def __init__(self, subshops: Collection[str]) -> None:
        self._known = subshops
        self._separator = ""
        self._width = 0
        self._columns = [0, 0, 0]
        self._subshops: int | None = None

    def parse(self, block: Block) -> Iterator[Entry | BrokenLine]:
        if not self._separator:
            self._separator = _separator(block)
        rows = csv.reader(_decoded(block), delimiter=self._separator or ",", strict=True)
        number = block.first
        while True:
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                raise BrokenLine(number, "", f"is not CSV ({error}).") from None
            after = block.first + rows.line_num
            if after > number + 1:
                raise BrokenLine(number, "", "ends within quotes.")
            if row:
                if not self._width:
                    self._read_header(number, row)
                else:
                    try:
                        yield self._entry(number, row)
                    except BrokenLine as error:
                        yield error
            number = after

    def _read_header(self, line: int, row: Sequence[str]) -> None:
        for name in FIELDS:
            if row.count(name) != 1:
                rule = "the header must contain each of the columns id, active and images exactly once"
                there = listed([quoted(each) for each in row])
                raise BrokenLine(line, name, f"{rule}; separated by {_SEPARATORS[self._separator]} it has: {there}.")
        self._width = len(row)
        self._columns = [row.index(name) for name in FIELDS]
        self._subshops = row.index(SUBSHOPS) if SUBSHOPS in row else None

    def _entry(self, line: int, row: Sequence[str]) -> Entry:
        if len(row) != self._width:
            separated = f"columns separated by {_SEPARATORS[self._separator]}"
            raise BrokenLine(line, "", f"has {len(row)} {separated}, the header has {self._width}.")
        identity, active, images = (row[column] for column in self._columns)
        value = _ACTIVE.get(active.lower())
        if value is None:
            raise BrokenLine(line, "active", f"{quoted(active)} is neither true nor false, 1 nor 0.")
        names = [name for name in images.split("|") if name]
        listed = row[self._subshops].split("|") if self._subshops is not None else []
        subshops = _subshops(line, [each for each in listed if each], self._known)
        return Entry(line, _id(line, identity), value, _names(line, names), subshops)


def _separator(block: Block) -> str:
    """Return the separator of the first line that is not blank, "" without one; a line that only names it is removed.

    If none of the separators yields the columns of a header, it is the one that yields the most columns.
    """
    for index, line in enumerate(block.lines):
        if _SEPARATOR_LINE.fullmatch(line):
            block.lines[index] = b""
            return line[len("sep=") :].decode()[:1]
        if line.strip():
            text = line.decode(errors="replace")
            return max(_SEPARATORS, key=lambda each: (_is_header(text.split(each)), text.count(each)))
    return ""


def _is_header(cells: Sequence[str]) -> bool:
    return {cell.strip(' "\r') for cell in cells}.issuperset(FIELDS)


def _decoded(block: Block) -> Iterator[str]:
    for number, line in enumerate(block.lines, block.first):
        check_length(number, line)
        try:
            yield line.decode()
        except UnicodeDecodeError as error:
            hint = "save it as UTF-8, in Excel as CSV UTF-8, if it is Windows-1252"
            raise BrokenLine(number, f"column {error.start + 1}", f"is not UTF-8; {hint}.") from None


def _id(line: int, value: Any) -> str:
    if type(value) is not str or not _ID.fullmatch(value):
        raise BrokenLine(line, "id", "is not a string of 1 to 255 characters without control characters.")
    return value


def _names(line: int, values: Sequence[Any]) -> tuple[str, ...]:
    names = []
    for position, value in enumerate(values):
        if type(value) is not str:
            raise BrokenLine(line, f"images[{position}]", "is not a string.")
        try:
            names.append(image_name(value))
        except InvalidValue as error:
            raise BrokenLine(line, f"images[{position}]", error.reason) from None
    return tuple(names) if len(names) < 2 else tuple(dict.fromkeys(names))  # noqa: PLR2004 - one is always once


def _subshops(line: int, values: Sequence[Any], known: Collection[str]) -> tuple[str, ...]:
    if not values:
        return ()
    for position, value in enumerate(values):
        if type(value) is not str or value not in known:
            # Images of an id that is mistyped would be unused, and a clean-up would move them to the trash.
            raise BrokenLine(line, f"{SUBSHOPS}[{position}]", "is not the id of a subshop.")
    return tuple(dict.fromkeys(values))
