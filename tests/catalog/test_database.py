"""The embedded database: what it may touch, and how it is stopped."""

import asyncio
import sys
import threading
from pathlib import Path

import duckdb
import pytest

from imageconverter.catalog.database import Workspace, open_database, run_in_thread
from imageconverter.errors import DatabaseFailed


@pytest.mark.parametrize(
    "statement",
    [
        "INSTALL httpfs",
        "LOAD httpfs",
        "FROM read_parquet('https://127.0.0.1/a.parquet')",
        "FROM read_csv('s3://bucket/a.csv')",
        "FROM read_text('/etc/hostname')",
        "FROM glob('/etc/*')",
        "ATTACH '/tmp/elsewhere.duckdb'",
        "COPY (SELECT 1) TO '/tmp/elsewhere.csv'",
        "SET memory_limit = '1TB'",
        "SET enable_external_access = true",
        "SET autoinstall_known_extensions = true",
        "SELECT * FROM folder",
    ],
)
def test_the_database_touches_nothing_but_its_folders(tmp_path: Path, statement: str) -> None:
    """No network, no extension, no other file, no Python variable, and no way to change that."""
    folder = [(1,)]
    with pytest.raises(DatabaseFailed), open_database(Workspace(tmp_path), tmp_path) as database:
        database.execute(statement).fetchall()
    assert folder


def test_the_database_reads_the_folders_it_is_given(tmp_path: Path) -> None:
    """Quotes in their names do no harm."""
    own, other = tmp_path / "own", tmp_path / "o'the\"r"
    own.mkdir()
    other.mkdir()
    (other / "a.csv").write_text("7\n")
    with open_database(Workspace(tmp_path), own, reads=[other]) as database:
        rows = database.execute("FROM read_csv($path)", {"path": str(other / "a.csv")}).fetchall()
    assert rows == [(7,)]


async def test_canceling_stops_the_statement_and_waits_for_it(tmp_path: Path) -> None:
    """Nothing is written to a folder that is being deleted."""
    begun = threading.Event()
    ends: list[type[BaseException] | None] = []

    def count(database: duckdb.DuckDBPyConnection) -> None:
        begun.set()
        try:
            database.execute("SELECT count(*) FROM range(5_000_000_000) WHERE hash(range) = 1")
        finally:
            ends.append(sys.exc_info()[0])

    with open_database(Workspace(tmp_path), tmp_path) as database:
        counting = asyncio.create_task(run_in_thread(database, count, database))
        await asyncio.to_thread(begun.wait)
        counting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await counting
        assert ends == [duckdb.InterruptException]
