"""Comparing the results of two runs, of more sources than fit in memory."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final, get_args

from duckdb import DuckDBPyConnection

from imageconverter import keys
from imageconverter.catalog.database import Workspace, open_database, run_in_thread, work_folder
from imageconverter.images.conversions import Status
from imageconverter.runs import RunStore
from imageconverter.runs.comparison import ROWS_IN_PART, ComparedSource, Difference, RunComparison
from imageconverter.runs.results import result_lines
from imageconverter.storage.store import ObjectStore

_STATUSES: Final[tuple[Status, ...]] = ("success", "skipped", "warning", "error")
"""The worst one last."""

_TABLE = "CREATE TABLE {} (source VARCHAR, status UTINYINT, message VARCHAR)"
_INSERT = """
INSERT INTO {}
SELECT source, list_position($statuses, outcome->>'status') - 1 AS status, if(status = 3, outcome->>'message', '')
FROM (
    SELECT source, unnest(from_json(outputs->'$[*][1]', '["JSON"]')) AS outcome
    FROM read_json($lines, format = 'newline_delimited', columns = {{source: 'VARCHAR', outputs: 'JSON'}})
)
"""
# A source may be in several directories of a run.
_COMPARED = """
CREATE TABLE compared AS
SELECT
    source, b.status AS before, a.status AS after, coalesce(nullif(a.message, ''), b.message, '') AS message,
    CASE
        WHEN b.status IS NULL THEN 'new'
        WHEN a.status IS NULL THEN 'gone'
        WHEN (b.status = 3) = (a.status = 3) THEN 'same'
        WHEN a.status = 3 THEN 'failed'
        ELSE 'fixed'
    END AS difference
FROM (SELECT source, max(status) AS status, max(message) AS message FROM after_run GROUP BY source) AS a
FULL JOIN (SELECT source, max(status) AS status, max(message) AS message FROM before_run GROUP BY source) AS b
USING (source)
"""
_COUNTS = "SELECT difference, count(*) FROM compared GROUP BY difference"
_ROWS = "SELECT source, before, after, message FROM compared WHERE difference = $difference ORDER BY source"


async def compare_runs(
    run_id: str, base_id: str, run_store: RunStore, store: ObjectStore, workspace: Workspace
) -> RunComparison:
    """Compare a run with the run *base_id* before, both of which have ended, and store the comparison.

    Raises QueueUnavailable, StoreUnavailable, DatabaseFailed.
    """
    with work_folder(workspace) as folder, open_database(workspace, folder) as database:
        for table, each in (("after_run", run_id), ("before_run", base_id)):
            database.execute(_TABLE.format(table))
            async for lines in result_lines(each, run_store, store):
                await run_in_thread(database, _insert, database, table, lines, folder / "lines.ndjson")
        counts = await run_in_thread(database, _compare, database)
        for difference in get_args(Difference):
            rows = database.execute(_ROWS, {"difference": difference})
            part = 0
            while text := await run_in_thread(database, partial(_next_part, rows)):
                key = keys.comparison_part(run_id, base_id, difference, part)
                await store.put(key, text, content_type="application/x-ndjson")
                part += 1
    found = RunComparison(run=run_id, base=base_id, **counts)
    await store.put(
        keys.comparison(run_id, base_id), found.model_dump_json().encode(), content_type="application/json"
    )
    return found


def _insert(database: DuckDBPyConnection, table: str, lines: bytes, path: Path) -> None:
    path.write_bytes(lines)
    database.execute(_INSERT.format(table), {"lines": str(path), "statuses": list(_STATUSES)})


def _compare(database: DuckDBPyConnection) -> dict[str, int]:
    database.execute(_COMPARED)
    counts = dict(database.execute(_COUNTS).fetchall())
    return {difference: counts.get(difference, 0) for difference in ("same", *get_args(Difference))}


def _next_part(rows: DuckDBPyConnection) -> bytes:
    return "".join(_lines(rows.fetchmany(ROWS_IN_PART))).encode()


def _lines(rows: list[tuple[Any, ...]]) -> Iterator[str]:
    for source, before, after, message in rows:
        compared = ComparedSource(
            source=source,
            before=None if before is None else _STATUSES[before],
            after=None if after is None else _STATUSES[after],
            message=message,
        )
        yield compared.model_dump_json(exclude_defaults=True) + "\n"
