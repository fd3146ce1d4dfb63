"""Groups of sources that look alike, for more of them than can be compared each with each.

Two images are alike if their perceptual hashes differ in at most MAX_BITS of 64 bits, and their average colors and
proportions hardly. Cut into one band more than that, two such hashes have a band in common: only those that have one
are compared.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import count, islice, pairwise
from pathlib import Path
from typing import Any, Final

from duckdb import DuckDBPyConnection

from imageconverter.catalog.database import CSV, Workspace, open_database, run_in_thread, work_folder
from imageconverter.images.source_facts import delete_facts
from imageconverter.reports.looks import LOOKS, SOURCES, write_looks, write_sources
from imageconverter.reports.results import RowWriter
from imageconverter.reports.summary import SimilarTotals
from imageconverter.storage.store import ObjectStore

MAX_BITS: Final = 6
"""Different bits of images that are alike; docs/decisions.md has the distances that were measured."""
_MAX_COLOR: Final = 2
"""Sixty-fourths by which each part of their average colors may differ."""
_MAX_STRETCH: Final = 1.05
"""How much wider the one may be than the other, if both had the same height."""
_FETCH_ROWS: Final = 10_000
_MAX_CANDIDATES: Final = 10_000_000
"""How many looks that have a band in common are compared at once: as many rows may have to fit on the disk."""
_BANDS: Final = MAX_BITS + 1
_CUTS: Final = [64 * band // _BANDS for band in range(_BANDS + 1)]
_BAND_VALUES: Final = ", ".join(f"(hash >> {start}) & {(1 << (end - start)) - 1}" for start, end in pairwise(_CUTS))

# Images with equal facts are one look, however many there are: copies of a placeholder must not be pairs.
_STATEMENTS: Final = (
    f"CREATE TABLE known AS FROM read_csv($looks, {CSV}, columns = {LOOKS})",
    f"CREATE TABLE sources AS FROM read_csv($sources, {CSV}, columns = {SOURCES})",
    "CREATE TABLE gone AS SELECT path FROM known ANTI JOIN sources USING (path)",
    "CREATE TABLE images AS SELECT known.* FROM known JOIN sources USING (path, etag) WHERE hash IS NOT NULL",
    """
    CREATE TABLE looks AS
    SELECT row_number() OVER (ORDER BY min(path)) - 1 AS look, hash, light, yellow, red,
        round(ln(width / height), 2) AS shape, count(*) AS images
    FROM images GROUP BY hash, light, yellow, red, shape
    """,
    f"""
    CREATE TABLE bands AS
    SELECT looks.*, unnest([{_BAND_VALUES}]) AS value, unnest(range({_BANDS})) AS band FROM looks
    """,  # noqa: S608 - of constants
    "CREATE TABLE members (look BIGINT, first BIGINT, distance INTEGER)",
)
_GONE: Final = "SELECT path FROM gone ORDER BY path LIMIT $rows OFFSET $start"
_CANDIDATES: Final = """
SELECT sum(looks)::BIGINT
FROM bands JOIN (SELECT band, value, count(*) AS looks FROM bands GROUP BY band, value) USING (band, value)
GROUP BY look ORDER BY look
"""
_FIND_PAIRS: Final = f"""
CREATE OR REPLACE TABLE pairs AS
WITH free AS (SELECT * FROM bands ANTI JOIN members USING (look) WHERE look >= $start)
SELECT DISTINCT one.look AS look, other.look AS other, bit_count(xor(one.hash, other.hash)) AS distance
FROM free AS one JOIN free AS other ON one.band = other.band AND one.value = other.value
WHERE one.look < $end AND one.look < other.look AND bit_count(xor(one.hash, other.hash)) <= {MAX_BITS}
    AND abs(one.light - other.light) <= {_MAX_COLOR} AND abs(one.yellow - other.yellow) <= {_MAX_COLOR}
    AND abs(one.red - other.red) <= {_MAX_COLOR} AND abs(one.shape - other.shape) <= ln({_MAX_STRETCH})
"""  # noqa: S608 - of constants
_PAIRS: Final = "SELECT look, other, distance FROM pairs ORDER BY look, other"
_ADD_MEMBERS: Final = "INSERT INTO members SELECT unnest($looks), unnest($firsts), unnest($distances)"
_ROWS: Final = """
WITH grouped AS (
    SELECT path, width, height, coalesce(first, look) AS first, coalesce(distance, 0) AS distance
    FROM images JOIN looks
        ON images.hash = looks.hash AND images.light = looks.light AND images.yellow = looks.yellow
        AND images.red = looks.red AND round(ln(width / height), 2) = looks.shape
    LEFT JOIN members USING (look)
), counted AS (SELECT *, count(*) OVER (PARTITION BY first) AS images FROM grouped)
SELECT dense_rank() OVER (ORDER BY first), path, distance, width, height
FROM counted WHERE images > 1 ORDER BY first, distance, path
"""


async def find_similar(
    store: ObjectStore, directories: Sequence[str], *, workspace: Workspace, results: Path
) -> SimilarTotals:
    """Find groups of sources below *directories* that look alike, and write them to the folder *results*.

    Only sources whose facts are stored are compared. Facts of sources that are not there any more are deleted. Raises
    StoreUnavailable and DatabaseFailed.
    """
    with work_folder(workspace) as folder:
        looks, sources = folder / "looks.csv", folder / "sources.csv"
        if not await write_looks(store, directories, looks):
            return SimilarTotals()
        await write_sources(store, directories, sources)
        with open_database(workspace, folder) as database:
            totals = await run_in_thread(database, partial(_compare, database, looks, sources, results))
            for start in count(0, _FETCH_ROWS):
                gone = await run_in_thread(database, partial(_gone, database, start))
                await delete_facts(store, gone)
                if len(gone) < _FETCH_ROWS:
                    break
    return totals


def _compare(database: DuckDBPyConnection, looks: Path, sources: Path, results: Path) -> SimilarTotals:
    files = {"looks": str(looks), "sources": str(sources)}
    for statement in _STATEMENTS:
        database.execute(statement, {name: path for name, path in files.items() if f"${name}" in statement})
    ((compared,),) = database.execute("SELECT count(*) FROM images").fetchall()
    ((looks_found,),) = database.execute("SELECT count(*) FROM looks").fetchall()
    _find_members(database, looks_found)
    groups = 0
    with RowWriter(results, "similar") as writer:
        for group, path, distance, width, height in _fetched(database, _ROWS):
            writer.write({"group": group, "path": path, "distance": distance, "width": width, "height": height})
            groups = group
    return SimilarTotals(compared=compared, groups=groups, images=writer.rows)


def _gone(database: DuckDBPyConnection, start: int) -> list[str]:
    """Return the paths of sources that are not there any more, from the *start*-th on."""
    found = database.execute(_GONE, {"start": start, "rows": _FETCH_ROWS}).fetchall()
    return [path for (path,) in found]


def _find_members(database: DuckDBPyConnection, looks: int) -> None:
    """Fill the table `members`, span by span: of many looks that are all alike, not all pairs are made."""
    taken = bytearray(looks)
    for start, end in _spans(array("Q", (number for (number,) in _fetched(database, _CANDIDATES))), taken):
        database.execute(_FIND_PAIRS, {"start": start, "end": end})
        members = _members(database, taken)
        while rows := list(islice(members, _FETCH_ROWS)):
            columns = map(list, zip(*rows, strict=True))
            database.execute(_ADD_MEMBERS, dict(zip(("looks", "firsts", "distances"), columns, strict=True)))


def _spans(candidates: Iterable[int], taken: bytearray) -> Iterator[tuple[int, int]]:
    """Yield spans of looks, each with at most `_MAX_CANDIDATES` to compare with, or of one look that is not *taken*.

    *candidates* has the number of each look. Those that were *taken* when the span before had been compared are free.
    """
    start = end = total = 0
    for end, number in enumerate(candidates):
        if total and not taken[end] and total + number > _MAX_CANDIDATES:
            yield start, end
            start, total = end, 0
        total += 0 if taken[end] else number
    if total:
        yield start, end + 1


def _members(database: DuckDBPyConnection, taken: bytearray) -> Iterator[tuple[int, int, int]]:
    """Yield each look of `pairs` that belongs to another one, that one, and their distance; they are *taken* then.

    Each group has a first image, and all others are like that one: chains, in which each image is like the next,
    would join very different ones.
    """
    for look, other, distance in _fetched(database, _PAIRS):
        if taken[look] or taken[other]:
            continue
        taken[other] = 1
        yield other, look, distance


def _fetched(database: DuckDBPyConnection, statement: str) -> Iterator[tuple[Any, ...]]:
    cursor = database.cursor().execute(statement)
    while rows := cursor.fetchmany(_FETCH_ROWS):
        yield from rows
