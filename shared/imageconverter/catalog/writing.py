"""Writing the entries of a catalog to Parquet files and detecting duplicate ids."""

import secrets
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from duckdb import DuckDBPyConnection

from imageconverter.catalog.database import CSV, Workspace, open_database, quote_csv, run_in_thread
from imageconverter.catalog.entries import MAX_BROKEN_LINES, Entry
from imageconverter.catalog.version import CatalogVersion, part_name
from imageconverter.errors import BrokenLine

_PART_BYTES = 64 * 1024 * 1024  # of text; the Parquet file has about a tenth of that

_WRITE_PART = f"""
COPY (
    SELECT line, id, active, CASE WHEN images IS NULL THEN [] ELSE string_split(images, '/') END AS images,
        CASE WHEN subshops IS NULL THEN [] ELSE string_split(subshops, ',') END AS subshops
    FROM read_csv($spool, {CSV}, columns = {{
        line: 'BIGINT', id: 'VARCHAR', active: 'BOOLEAN', images: 'VARCHAR', subshops: 'VARCHAR'
    }})
) TO $part (FORMAT parquet, COMPRESSION zstd)
"""  # noqa: S608 - a constant
# Grouped by hashes, which need less memory than texts; the few duplicates are compared by their texts.
_DUPLICATES = """
WITH entries AS (FROM read_parquet($parts)),
     suspects AS (SELECT hash(id) AS number FROM entries GROUP BY number HAVING count(*) > 1)
SELECT id, list_sort(list(line))[:2] AS lines FROM entries WHERE hash(id) IN (FROM suspects)
GROUP BY id HAVING count(*) > 1 ORDER BY lines[2] LIMIT $limit
"""
_COUNT = """
SELECT count(*), coalesce(sum(len(images)) FILTER (active), 0) FROM read_parquet($parts)
"""


async def write_version(
    batches: AsyncIterator[list[Entry]], folder: Path, workspace: Workspace, *, received_at: datetime | None = None
) -> CatalogVersion:
    """Write a new version, received at *received_at* (default: now), to the Parquet files `part_name` in *folder*.

    The folder must be empty. Raises BrokenLine for duplicate ids, and whatever *batches* raises.
    """
    with open_database(workspace, folder) as database:
        writer = _Writer(database, folder)
        try:
            async for batch in batches:
                await run_in_thread(database, writer.add, batch)
        finally:
            writer.close()
        return await run_in_thread(database, writer.finish, received_at or datetime.now(UTC))


class _Writer:
    """Collects entries as CSV and converts them to Parquet files of limited size."""

    def __init__(self, database: DuckDBPyConnection, folder: Path) -> None:
        self._database = database
        self._folder = folder
        self._parts: list[Path] = []
        self._spool = self._new_spool()

    def add(self, entries: Sequence[Entry]) -> None:
        self._spool.writelines(
            f"{line},{quote_csv(identity)},{active},{quote_csv('/'.join(images)) if images else ''},"
            f"{quote_csv(','.join(subshops)) if subshops else ''}\n"
            for line, identity, active, images, subshops in entries
        )
        if self._spool.tell() >= _PART_BYTES:
            self._write_part()
            self._spool = self._new_spool()

    def finish(self, received_at: datetime) -> CatalogVersion:
        self._write_part()
        parts = {"parts": [str(part) for part in self._parts]}
        duplicates = [
            BrokenLine(line, "id", f"{identity!r} is already the id of line {earlier}.")
            for identity, (earlier, line) in self._database.execute(
                _DUPLICATES, {**parts, "limit": MAX_BROKEN_LINES}
            ).fetchall()
        ]
        if duplicates:
            raise duplicates[0].followed_by(duplicates[1:])
        entries, images = self._database.execute(_COUNT, parts).fetchall()[0]
        now = datetime.now(UTC)
        return CatalogVersion(
            version=f"{now:%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}",
            entries=entries,
            images=images,
            at=now,
            received_at=received_at,
            bytes=sum(part.stat().st_size for part in self._parts),
            parts=len(self._parts),
        )

    def close(self) -> None:
        self._spool.close()

    def _new_spool(self) -> TextIO:
        return (self._folder / "spool.csv").open("w", encoding="utf-8", newline="")

    def _write_part(self) -> None:
        self._spool.close()
        part = self._folder / part_name(len(self._parts))
        self._database.execute(_WRITE_PART, {"spool": self._spool.name, "part": str(part)})
        self._parts.append(part)
