"""Comparing a catalog with the files in the store, for more of both than fit in memory.

*Missing*: an image of an active entry without a file; there is a row for each format. *Unused*: a file that no active
entry names, neither directly nor as its source, and that is not near a missing file (see `reports.matching`). Only
files directly in the directory of a format count, because conversions write no others.
"""

import asyncio
import shutil
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

from duckdb import DuckDBPyConnection

from imageconverter.catalog.database import CSV, Workspace, open_database, run_in_thread, work_folder
from imageconverter.images.image_formats import ImageFormat, ImageType
from imageconverter.images.subshops import Subshops
from imageconverter.reports.listing import COLUMNS, Listed, Listing, write_listing
from imageconverter.reports.matching import could_be, define_macros, expected_names
from imageconverter.reports.results import RowWriter
from imageconverter.reports.summary import CatalogSize, DirectoryTotals, Found, Summary, reason_to_refuse

PRODUCTS_SHOWN: Final = 100
"""Maximum number in a row: every product may use the same placeholder image."""

RANGES: Final = 8
"""Number of ranges of a large directory that are listed concurrently."""

_FETCH_ROWS = 10_000
_MIN_STEP = 200  # in the sample; smaller directories have only a few pages

_SIZE = "SELECT count(*), coalesce(sum(len(images)) FILTER (active), 0) FROM read_parquet($parts)"
# Catalogs of releases before 0.3.0 have no such column.
_HAVE_SUBSHOPS = "SELECT count(*) > 0 FROM parquet_schema($parts) WHERE name = 'subshops'"
_NAME_SUBSHOPS = "SELECT coalesce(bool_or(len(subshops) > 0), false) FROM read_parquet($parts)"
_TABLES = (
    """
    CREATE TABLE missing (
        format VARCHAR, directory VARCHAR, path VARCHAR, name VARCHAR, near VARCHAR, owners VARCHAR[]
    )
    """,
    "CREATE TABLE unused (directory VARCHAR, name VARCHAR, size BIGINT, modified BIGINT)",
)
# "are_theirs" is replaced by one of the conditions below.
_NAMES = """
CREATE OR REPLACE TABLE names AS
SELECT DISTINCT unnest(images) AS name FROM read_parquet($parts) WHERE active AND are_theirs
"""
_ARE_OF_ALL = "true"
_ARE_OF_OWNERS = "(len(subshops) = 0 OR list_has_any(subshops, $owners))"
_ARE_OF_OWNERS_OF_MISSING = "(len(subshops) = 0 OR list_has_any(subshops, owners))"
_SAMPLE = f"SELECT name FROM names USING SAMPLE {RANGES * 1000} ROWS"  # noqa: S608 - a constant
_FILES = f"CREATE OR REPLACE TABLE files AS FROM read_csv($listing, {CSV}, columns = {COLUMNS})"
_UNNAMED = """
CREATE OR REPLACE TABLE unnamed AS
SELECT * FROM files WHERE NOT EXISTS (FROM names WHERE names.name = files.name)
"""
# "as_it" is replaced by each macro of `expected_names`. Unchanged names are excluded by the condition above.
_AND_NOT_NAMED_AS = """
AND NOT EXISTS (FROM names WHERE as_it(names.name) = files.name AND as_it(names.name) <> names.name)
"""
_ABSENT = "CREATE OR REPLACE TABLE absent AS SELECT name FROM names WHERE true"
_AND_NO_FILE_AS = " AND NOT EXISTS (FROM files WHERE files.name = as_it(names.name))"
_NEAR = """
CREATE OR REPLACE TABLE near AS
SELECT near(name) AS key, lower(name) AS folded, coalesce(stored_name, name) AS name
FROM files WHERE near(name) IN (SELECT near(name) FROM absent)
"""
_MISSING = """
INSERT INTO missing
SELECT $format, $directory, $directory || '/' || as_it(absent.name), absent.name,
    coalesce(by_case.name, by_extension.name, ''), $owners
FROM absent
LEFT JOIN (SELECT folded, min(name) AS name FROM near GROUP BY folded) AS by_case
    ON by_case.folded = lower(as_it(absent.name))
LEFT JOIN (SELECT key, min(name) AS name FROM near GROUP BY key) AS by_extension
    ON by_extension.key = near(absent.name)
"""
_NOT_NEAR = "DELETE FROM unnamed WHERE near(name) IN (SELECT key FROM near)"
_UNUSED = "INSERT INTO unused SELECT $directory, coalesce(stored_name, name), size, modified FROM unnamed"
_MISSING_ROWS = """
SELECT path, format, missing.name, near, id
FROM missing JOIN (SELECT *, unnest(images) AS name FROM read_parquet($parts) WHERE active) AS uses USING (name)
WHERE are_theirs
ORDER BY path, format, missing.name, id
"""
_UNUSED_ROWS = """
SELECT directory, name, size, strftime(make_timestamp_ms(modified), '%Y-%m-%dT%H:%M:%S.%gZ')
FROM unused ORDER BY directory, name
"""
_MISSING_BY_DIRECTORY = "SELECT directory, count(*) FROM missing GROUP BY directory"
_UNUSED_BY_DIRECTORY = "SELECT directory, count(*), sum(size)::BIGINT FROM unused GROUP BY directory"


async def compare(
    kind: ImageType,
    subshops: Subshops,
    catalog: Sequence[Path],
    listing: Listing,
    *,
    previous: CatalogSize | None,
    workspace: Workspace,
    results: Path,
) -> Summary:
    """Compare the *catalog*, the parts of one version, with the files of all formats of a *kind*.

    A file of a directory is used if any of the *subshops* that have images there uses it.

    *listing* is called once for each directory, with names that divide it evenly. *previous* is the catalog's size in
    the last report that named unused files. The rows are written to the new folder *results* (see `reports.results`),
    which is created at the end. Raises DatabaseFailed and what *listing* raises; then there are no results.
    """
    directories: dict[str, list[ImageFormat]] = {}
    for each in subshops.formats:
        if each.type == kind:
            directories.setdefault(each.target_directory, []).append(each)
    others = {each.target_directory for each in subshops.formats if each.type != kind}
    with work_folder(workspace) as folder:
        rows = folder / "rows"
        rows.mkdir()
        listed: dict[str, Listed] = {}
        with open_database(workspace, folder, reads=sorted({part.parent for part in catalog})) as database:
            comparison = _Comparison(database, catalog, subshops)
            size = await run_in_thread(database, comparison.begin)
            sample = await run_in_thread(database, comparison.sample)
            refused = reason_to_refuse(size, previous)
            for directory, group in directories.items():
                listed[directory] = await write_listing(listing(directory, sample), directory, folder / "listing.csv")
                find_unused = not refused and directory not in others
                compare_directory = partial(comparison.compare_directory, find_unused=find_unused)
                await run_in_thread(database, compare_directory, folder / "listing.csv", directory, group)
            found, near = await run_in_thread(database, comparison.write_rows, rows, directories)
            missing = await run_in_thread(database, comparison.missing_by_directory)
            unused = await run_in_thread(database, comparison.unused_by_directory)
        await asyncio.to_thread(shutil.move, rows, results)
    return Summary(
        catalog=size,
        files=sum(each.files for each in listed.values()),
        file_bytes=sum(each.bytes for each in listed.values()),
        ignored=sum(each.ignored for each in listed.values()),
        missing=sum(each.missing for each in found.values()),
        missing_but_near=near,
        unused=sum(each.unused for each in found.values()),
        unused_bytes=sum(each.unused_bytes for each in found.values()),
        formats=found,
        directories={
            directory: DirectoryTotals(
                files=listed[directory].files,
                bytes=listed[directory].bytes,
                missing=missing.get(directory, 0),
                unused=unused.get(directory, (0, 0))[0],
                unused_bytes=unused.get(directory, (0, 0))[1],
                subshops=_owners(subshops, group) if len(subshops) > 1 else (),
            )
            for directory, group in directories.items()
        },
        unused_refused=refused,
        shared_directories=tuple(directory for directory in directories if directory in others),
    )


class _Comparison:
    """The steps of a comparison, each of which runs for some time."""

    def __init__(self, database: DuckDBPyConnection, catalog: Sequence[Path], subshops: Subshops) -> None:
        self._database = database
        self._parts = {"parts": [str(part) for part in catalog]}
        self._subshops = subshops
        self._names_subshops = False
        self._owners: Sequence[str] | None = None  # whose names are in the table `names`

    def begin(self) -> CatalogSize:
        """Read the names from the catalog."""
        define_macros(self._database)
        for statement in _TABLES:
            self._database.execute(statement, self._parts if "$parts" in statement else None)
        has_column = self._database.execute(_HAVE_SUBSHOPS, self._parts).fetchall()[0][0]
        if has_column:
            self._names_subshops = self._database.execute(_NAME_SUBSHOPS, self._parts).fetchall()[0][0]
        self._database.execute(_theirs(_NAMES, _ARE_OF_ALL), self._parts)
        (size,) = self._database.execute(_SIZE, self._parts).fetchall()
        return CatalogSize(*size)

    def sample(self) -> list[str]:
        """Return some names, sorted, that divide all names into ranges of about equal size."""
        rows = self._database.execute(_SAMPLE).fetchall()
        names = sorted(name for (name,) in rows)  # by code points like the keys of a store, unlike the database
        step = len(names) // RANGES
        return names[step::step][: RANGES - 1] if step >= _MIN_STEP else []

    def compare_directory(
        self, listing: Path, directory: str, formats: Sequence[ImageFormat], *, find_unused: bool
    ) -> None:
        """Record the missing and, with *find_unused*, the unused files of the directory in *listing*."""
        execute = self._database.execute
        execute(_FILES, {"listing": str(listing)})
        self._use_names(_owners(self._subshops, formats))
        expected = {each.node_id: expected_names(each) for each in formats}
        if find_unused:
            all_macros = sorted({macro for macros in expected.values() for macro in macros})
            execute(_UNNAMED + _each(_AND_NOT_NAMED_AS, all_macros))
        for each in formats:
            macros, owners = expected[each.node_id], self._subshops.owners(each)
            self._use_names(owners)
            execute(_ABSENT + _each(_AND_NO_FILE_AS, macros))
            execute(_NEAR)
            values = {"format": each.node_id, "directory": directory, "owners": list(owners)}
            execute(_each(_MISSING, macros[:1]), values)
            if find_unused:
                execute(_NOT_NEAR)
        if find_unused:
            execute(_UNUSED, {"directory": directory})

    def _use_names(self, owners: Sequence[str]) -> None:
        """Have the names of the subshops with the ids *owners* in the table `names`."""
        if self._names_subshops and owners != self._owners:
            self._database.execute(_theirs(_NAMES, _ARE_OF_OWNERS), {**self._parts, "owners": list(owners)})
            self._owners = owners

    def write_rows(
        self, folder: Path, directories: Mapping[str, Sequence[ImageFormat]]
    ) -> tuple[dict[str, Found], int]:
        """Write all rows to *folder*; returns their number by format, and how many missing have a near file."""
        found: dict[str, dict[str, int]] = {each.node_id: {} for group in directories.values() for each in group}
        near = 0

        def count(node_id: str, **changes: int) -> None:
            counts = found.setdefault(node_id, {})
            for name, change in changes.items():
                counts[name] = counts.get(name, 0) + change

        with RowWriter(folder, "missing") as missing:
            for row in self._missing():
                missing.write(row)
                count(row["format"], missing=1)
                near += bool(row["near"])
        with RowWriter(folder, "unused") as unused:
            for row in self._unused(directories):
                unused.write(row)
                count(row["format"], unused=1, unused_bytes=row["size"])
        return {node_id: Found(**counts) for node_id, counts in found.items()}, near

    def missing_by_directory(self) -> dict[str, int]:
        """Return the number of the missing files of each directory that has any."""
        return dict(self._rows(_MISSING_BY_DIRECTORY))

    def unused_by_directory(self) -> dict[str, tuple[int, int]]:
        """Return the number and the total size of the unused files of each directory that has any."""
        return {directory: (files, size) for directory, files, size in self._rows(_UNUSED_BY_DIRECTORY)}

    def _missing(self) -> Iterator[dict[str, Any]]:
        condition = _ARE_OF_OWNERS_OF_MISSING if self._names_subshops else _ARE_OF_ALL
        rows = self._rows(_theirs(_MISSING_ROWS, condition), self._parts)
        for (path, node_id, name, near), uses in groupby(rows, key=itemgetter(0, 1, 2, 3)):
            products = [use[4] for use in islice(uses, PRODUCTS_SHOWN)]
            more = sum(1 for _ in uses)
            yield {
                "filename": name,
                "format": node_id,
                "path": path,
                "near": near,
                "products": products,
                "productCount": len(products) + more,
            }

    def _unused(self, directories: Mapping[str, Sequence[ImageFormat]]) -> Iterator[dict[str, Any]]:
        for directory, name, size, modified in self._rows(_UNUSED_ROWS):
            yield {
                "filename": name,
                "format": _format_of(name, directories[directory]),
                "path": f"{directory}/{name}",
                "size": size,
                "modified": modified,
            }

    def _rows(self, statement: str, values: Mapping[str, Any] | None = None) -> Iterator[tuple[Any, ...]]:
        cursor = self._database.execute(statement, values)
        while rows := cursor.fetchmany(_FETCH_ROWS):
            yield from rows


def _owners(subshops: Subshops, formats: Sequence[ImageFormat]) -> tuple[str, ...]:
    """Return the ids of the subshops that have images of any of *formats*."""
    return tuple(dict.fromkeys(owner for each in formats for owner in subshops.owners(each)))


def _theirs(statement: str, condition: str) -> str:
    return statement.replace("are_theirs", condition)


def _each(condition: str, macros: Sequence[str]) -> str:
    return "".join(condition.replace("as_it", macro) for macro in macros)


def _format_of(name: str, formats: Sequence[ImageFormat]) -> str:
    """Return the node id of the format of a file in the common directory of *formats*, "" if several match."""
    matching = [each.node_id for each in formats if len(formats) == 1 or could_be(each, name)]
    return matching[0] if len(matching) == 1 else ""
