"""Rows in files, and the pages that clients read."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imageconverter.errors import InvalidValue
from imageconverter.reports import read_page
from imageconverter.reports import results as module
from imageconverter.reports.results import RowWriter, part_names

TOTAL = 23


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty-three rows in files of ten."""
    made = tmp_path_factory.mktemp("rows")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "PART_ROWS", 10)
        with RowWriter(made, "missing") as writer:
            for number in range(TOTAL):
                writer.write({"filename": f"\u2028ä\r\n{number}"})
    return made


@pytest.fixture(autouse=True)
def files_of_ten_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read as it was written."""
    monkeypatch.setattr(module, "PART_ROWS", 10)


def reader(folder: Path) -> Callable[[str], Awaitable[bytes | None]]:
    """Read files of a folder as an object store would."""

    async def read(name: str) -> bytes | None:
        path = folder / name
        return path.read_bytes() if path.exists() else None

    return read


async def read_all(folder: Path, total: int, limit: int) -> list[int]:
    """Follow the cursors to the end; returns the numbers of the rows."""
    found: list[int] = []
    cursor = ""
    while True:
        page = await read_page(reader(folder), "missing", total=total, cursor=cursor, limit=limit)
        assert len(page.rows) <= limit
        found += [int(row["filename"].splitlines()[-1]) for row in page.rows]
        cursor = page.cursor
        if not cursor:
            return found


def test_rows_are_in_files_of_so_many(folder: Path) -> None:
    """Their names follow from how many there are."""
    assert sorted(path.name for path in folder.iterdir()) == list(part_names("missing", TOTAL))
    assert list(part_names("missing", 20)) == ["missing-000000.ndjson", "missing-000001.ndjson"]
    assert list(part_names("unused", 0)) == []


@pytest.mark.parametrize("limit", [1, 7, 10, 22, 23, 1000])
async def test_pages_hold_every_row_once_in_order(folder: Path, limit: int) -> None:
    """Whether they end where files end or not."""
    assert await read_all(folder, TOTAL, limit) == list(range(TOTAL))


async def test_an_empty_table_is_one_empty_page(folder: Path) -> None:
    """There is no file to read."""
    assert await read_page(reader(folder), "unused", total=0, cursor="", limit=5) == ([], "")


async def test_only_the_files_of_the_page_are_read(folder: Path) -> None:
    """The millionth page costs what the first does."""
    asked = []

    async def read(name: str) -> bytes | None:
        asked.append(name)
        return await reader(folder)(name)

    page = await read_page(read, "missing", total=TOTAL, cursor="15", limit=5)

    assert [row["filename"][-2:] for row in page.rows] == ["15", "16", "17", "18", "19"]
    assert asked == ["missing-000001.ndjson"]


@pytest.mark.parametrize("cursor", ["-1", "x", "1.5", "24", "9" * 5000, "٣", "²", " 1"])
async def test_a_cursor_that_is_none_is_refused(folder: Path, cursor: str) -> None:
    """With the name of the parameter."""
    with pytest.raises(InvalidValue) as caught:
        await read_page(reader(folder), "missing", total=TOTAL, cursor=cursor, limit=5)
    assert caught.value.field == "cursor"


async def test_a_page_of_a_report_that_was_deleted_is_refused(tmp_path: Path) -> None:
    """It is not an empty page, which would say that nothing is missing."""
    with pytest.raises(InvalidValue, match="no longer exists"):
        await read_page(reader(tmp_path), "missing", total=TOTAL, cursor="", limit=5)


@given(st.text(max_size=30))
async def test_any_cursor_is_answered_or_refused(cursor: str) -> None:
    """No text of a client causes another error."""

    async def read(_name: str) -> bytes | None:
        return b'{"a": 1}\n' * 10

    try:
        page = await read_page(read, "missing", total=30, cursor=cursor, limit=1)
    except InvalidValue:
        return
    assert len(page.rows) <= 1
