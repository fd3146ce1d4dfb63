"""Writing a version: what Parquet files hold in the end, and ids that occur twice."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import duckdb
import pytest

from imageconverter.catalog import CatalogVersion, Entry
from imageconverter.catalog import writing as module
from imageconverter.catalog.database import Workspace
from imageconverter.catalog.version import part_name
from imageconverter.catalog.writing import write_version
from imageconverter.errors import BrokenLine, DatabaseFailed


async def batches(*given: Sequence[Entry]) -> AsyncIterator[list[Entry]]:
    """Hand out entries."""
    for batch in given:
        yield list(batch)


async def write(folder: Path, *given: Sequence[Entry], workspace: Workspace | None = None) -> CatalogVersion:
    """Write a version of what was given."""
    return await write_version(batches(*given), folder, workspace or Workspace(folder, memory_mb=64, threads=1))


def kept(folder: Path, version: CatalogVersion) -> list[Entry]:
    """Read a version as anybody with a Parquet reader could."""
    parts = [str(folder / part_name(number)) for number in range(version.parts)]
    with duckdb.connect() as database:
        rows = database.execute("FROM read_parquet($parts) ORDER BY line", {"parts": parts}).fetchall()
    return [
        Entry(line, identity, active, tuple(images), tuple(subshops))
        for line, identity, active, images, subshops in rows
    ]


ENTRIES = [
    Entry(1, "4711", active=True, images=("a.jpg", "b.jpg")),
    Entry(2, '"odd", id|/', active=True, images=('od"d,|name.jpg', "Höhe.jpg", "a.jpg")),
    Entry(4, "none", active=True, images=()),
    Entry(5, "off", active=False, images=("c.jpg",), subshops=("outdoor", "sale")),
    Entry(6, "NULL", active=True, images=("NULL", "\\N", "''")),
]


async def test_a_version_holds_what_was_read(tmp_path: Path) -> None:
    """Quotes, commas and bars included; names of inactive entries are kept, but not counted."""
    version = await write(tmp_path, ENTRIES[:2], ENTRIES[2:])

    assert kept(tmp_path, version) == ENTRIES
    assert (version.entries, version.images, version.parts) == (5, 8, 1)
    assert version.bytes == (tmp_path / part_name(0)).stat().st_size


async def test_a_large_catalog_is_kept_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """None of them is larger than one request should carry."""
    monkeypatch.setattr(module, "_PART_BYTES", 1)
    version = await write(tmp_path, ENTRIES[:2], ENTRIES[2:])

    assert version.parts == 3
    assert kept(tmp_path, version) == ENTRIES


async def test_an_empty_catalog_can_be_kept(tmp_path: Path) -> None:
    """It has a part without entries, so that it needs no special case."""
    version = await write(tmp_path)

    assert (version.entries, version.images, version.parts) == (0, 0, 1)
    assert kept(tmp_path, version) == []


async def test_an_id_that_occurs_twice_is_refused_by_the_line_of_the_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the two are in different parts; the first such line of the file counts."""
    monkeypatch.setattr(module, "_PART_BYTES", 1)
    entries = [Entry(line, name, active=True, images=()) for line, name in enumerate("abcdcebb", start=1)]
    with pytest.raises(BrokenLine) as caught:
        await write(tmp_path, entries[:3], entries[3:])

    assert (caught.value.line, caught.value.place) == (5, "id")
    assert caught.value.reason == "Line 5, id: 'c' is already the id of line 3."


async def test_ids_differ_by_case_and_form(tmp_path: Path) -> None:
    """They are texts of the shop, not names of files."""
    names = ["a", "A", "\u00e4", "a\u0308", " a"]
    version = await write(tmp_path, [Entry(n, name, active=True, images=()) for n, name in enumerate(names)])

    assert version.entries == 5


async def test_an_error_while_reading_ends_the_writing(tmp_path: Path) -> None:
    """The reason is not covered by another."""

    async def broken() -> AsyncIterator[list[Entry]]:
        yield ENTRIES
        raise BrokenLine(7, "", "is broken.")

    with pytest.raises(BrokenLine, match="Line 7"):
        await write_version(broken(), tmp_path, Workspace(tmp_path))


async def test_too_little_memory_is_said(tmp_path: Path) -> None:
    """As unavailable, without paths of the server in the reason."""
    tight = Workspace(tmp_path, memory_mb=1, disk_mb=0, threads=1)
    entries = [Entry(n, f"{n * 7919:0200}", active=True, images=()) for n in range(20_000)]
    with pytest.raises(DatabaseFailed) as caught:
        await write(tmp_path, entries, workspace=tight)
    assert str(tmp_path) not in caught.value.reason
