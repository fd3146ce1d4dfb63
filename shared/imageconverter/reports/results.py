"""The rows of a report: sorted, in NDJSON files of `PART_ROWS` rows each."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import IO, Any, Final, Literal, NamedTuple, Self

from pydantic_core import from_json, to_json

from imageconverter.errors import InvalidValue

Table = Literal["missing", "unused", "similar"]

PART_ROWS: Final = 10_000


class RowPage(NamedTuple):
    """A page of rows."""

    rows: list[dict[str, Any]]
    cursor: str
    """The cursor of the next page, "" at the end."""


def part_name(table: Table, part: int) -> str:
    """Return the name of the file with the *part*-th `PART_ROWS` rows, counted from 0."""
    return f"{table}-{part:06}.ndjson"


class RowWriter:
    """Context manager that writes the rows of a table."""

    def __init__(self, folder: Path, table: Table) -> None:
        """Write into *folder*, which must exist."""
        self._folder = folder
        self._table: Table = table
        self._file: IO[bytes] | None = None
        self.rows = 0

    def write(self, row: dict[str, Any]) -> None:
        """Append a row."""
        if self.rows % PART_ROWS == 0:
            self._close()
            self._file = (self._folder / part_name(self._table, self.rows // PART_ROWS)).open("wb")
        assert self._file is not None  # noqa: S101 - row 0 opened it
        self._file.write(to_json(row) + b"\n")
        self.rows += 1

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()


async def read_page(
    read: Callable[[str], Awaitable[bytes | None]], table: Table, *, total: int, cursor: str, limit: int
) -> RowPage:
    """Return up to *limit* of the *total* rows of a table, starting at *cursor* ("" for the first page).

    *read* returns the contents of a file by its name. Raises InvalidValue if the cursor is invalid, or if the report
    was deleted meanwhile.
    """
    start = _position(cursor, total)
    end = min(total, start + limit)
    rows: list[dict[str, Any]] = []
    for part in range(start // PART_ROWS, -(-end // PART_ROWS)):
        content = await read(part_name(table, part))
        if content is None:
            raise InvalidValue("The report no longer exists.", field="cursor")
        first = part * PART_ROWS
        lines = content.splitlines()[max(0, start - first) : end - first]
        rows += map(from_json, lines)
    return RowPage(rows, str(end) if end < total else "")


async def read_rows(
    read: Callable[[str], Awaitable[bytes | None]], table: Table, *, total: int
) -> AsyncIterator[list[dict[str, Any]]]:
    """Yield all rows of a table, `PART_ROWS` at a time; raises InvalidValue if the report was deleted meanwhile."""
    for name in part_names(table, total):
        content = await read(name)
        if content is None:
            raise InvalidValue("The report no longer exists.", field="cursor")
        yield [from_json(line) for line in content.splitlines()]


def part_names(table: Table, total: int) -> Iterator[str]:
    """Return the names of the files of a table with *total* rows, in order."""
    return (part_name(table, part) for part in range(-(-total // PART_ROWS)))


def _position(cursor: str, total: int) -> int:
    if not cursor:
        return 0
    # The length is checked first: parsing a very long number takes long.
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= len(str(total)) and int(cursor) <= total):
        raise InvalidValue("The cursor is not valid for this report.", field="cursor")
    return int(cursor)
