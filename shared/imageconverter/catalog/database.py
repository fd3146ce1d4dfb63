"""An embedded DuckDB for more rows than fit in memory, confined to a folder and a memory limit, without network."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import duckdb
from duckdb import DuckDBPyConnection

from imageconverter.errors import DatabaseFailed

T = TypeVar("T")

_INTERRUPT_SECONDS = 0.1

# The format of `quote_csv`; nothing is detected automatically.
CSV = "header = false, auto_detect = false, delim = ',', quote = '\"', escape = '\"'"


def quote_csv(text: str) -> str:
    """Return *text* as a quoted field for `CSV`; several times faster than the module csv."""
    return '"' + text.replace('"', '""') + '"'


@dataclass(frozen=True)
class Workspace:
    """The folder and the limits of a database."""

    folder: Path
    """Parent of the temporary folders; must exist."""
    memory_mb: int = 256
    """Memory of the database, in MiB; the process needs about 150 MiB more."""
    disk_mb: int = 16_384
    """Maximum size of spilled data in the folder, in MiB, in addition to tables and CSV files."""
    threads: int = 2


@contextmanager
def work_folder(workspace: Workspace) -> Iterator[Path]:
    """Create a temporary folder in the *workspace*, and delete it afterwards.

    Raises DatabaseFailed if the disk is full or the folder cannot be used.
    """
    try:
        with TemporaryDirectory(dir=workspace.folder) as folder:
            yield Path(folder)
    except OSError as error:
        raise DatabaseFailed("The reporter's work folder is full or cannot be used.") from error


@contextmanager
def open_database(workspace: Workspace, folder: Path, reads: Sequence[Path] = ()) -> Iterator[DuckDBPyConnection]:
    """Open a new database in *folder*; it may access this folder and the folders *reads*, and no others.

    Raises DatabaseFailed for any error of the database while it is open.
    """
    try:
        with duckdb.connect(
            folder / "work.duckdb",
            config={
                "memory_limit": f"{workspace.memory_mb}MiB",
                "threads": workspace.threads,
                "temp_directory": str(folder / "spilled"),
                "max_temp_directory_size": f"{workspace.disk_mb}MiB",
                "preserve_insertion_order": False,  # saves memory; queries that need an order sort
                "fsync_mode": "NONE",  # files left by a crash are not used
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "allow_community_extensions": False,
                "allow_extension_repositories": "forbidden",
                "allow_persistent_secrets": False,
                "python_enable_replacements": False,  # a misspelled table must not become a Python variable
            },
        ) as connection:
            # In this order: the directories cannot be changed after external access is disabled.
            connection.execute("SET allowed_directories = $folders", {"folders": [str(f) for f in (folder, *reads)]})
            connection.execute("SET enable_external_access = false")
            connection.execute("SET lock_configuration = true")
            yield connection
    except duckdb.Error as error:
        raise DatabaseFailed("The database ran out of memory or disk, or a file is broken.") from error


async def run_in_thread(connection: DuckDBPyConnection, work: Callable[..., T], *arguments: Any) -> T:
    """Run *work*, which uses *connection*, in a thread; cancellation interrupts it and waits until it has ended."""
    working = asyncio.ensure_future(asyncio.to_thread(work, *arguments))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        while not working.done():
            connection.interrupt()  # repeated, because it has no effect between two statements
            await asyncio.wait([working], timeout=_INTERRUPT_SECONDS)
        working.exception()  # retrieved, so that asyncio does not log the interruption
        raise
