"""An embedded DuckDB for more rows than memory holds. It keeps to a folder and a limit, and off the network."""

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

# As the writers of our own files make them; nothing is guessed.
CSV = "header = false, auto_detect = false, delim = ',', quote = '\"', escape = '\"'"


def quote_csv(text: str) -> str:
    """Return *text* as a field of a row that `CSV` reads; several times as fast as the module csv."""
    return '"' + text.replace('"', '""') + '"'


@dataclass(frozen=True)
class Workspace:
    """What working on many rows may take."""

    folder: Path
    """Where folders for the time of the work are made; it has to exist."""
    memory_mb: int = 256
    """Memory of the database, in MiB; the process needs some 150 MiB besides."""
    disk_mb: int = 16_384
    """What the database may move out of memory to the folder, in MiB; its tables and our files come on top."""
    threads: int = 2


@contextmanager
def work_folder(workspace: Workspace) -> Iterator[Path]:
    """Make a folder in that of *workspace*, and delete it with all in it afterwards.

    Raises DatabaseFailed where the disk is full, or whatever else the system does not let happen.
    """
    try:
        with TemporaryDirectory(dir=workspace.folder) as folder:
            yield Path(folder)
    except OSError as error:
        raise DatabaseFailed("The folder for the reporter's work cannot be used, or is full.") from error


@contextmanager
def open_database(workspace: Workspace, folder: Path, reads: Sequence[Path] = ()) -> Iterator[DuckDBPyConnection]:
    """Open a new database in *folder*, which may be read and written, as may the folders *reads*, and nothing else.

    Raises DatabaseFailed for whatever the database raises while it is open.
    """
    try:
        with duckdb.connect(
            folder / "work.duckdb",
            config={
                "memory_limit": f"{workspace.memory_mb}MiB",
                "threads": workspace.threads,
                "temp_directory": str(folder / "spilled"),
                "max_temp_directory_size": f"{workspace.disk_mb}MiB",
                "preserve_insertion_order": False,  # costs memory; whoever needs an order asks for it
                "fsync_mode": "NONE",  # what is left after a crash is thrown away
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "allow_community_extensions": False,
                "allow_extension_repositories": "forbidden",
                "allow_persistent_secrets": False,
                "python_enable_replacements": False,  # a misspelt table is not to become one of our variables
            },
        ) as connection:
            # One after the other: the directories cannot be changed any more once all others are closed.
            connection.execute("SET allowed_directories = $folders", {"folders": [str(f) for f in (folder, *reads)]})
            connection.execute("SET enable_external_access = false")
            connection.execute("SET lock_configuration = true")
            yield connection
    except duckdb.Error as error:
        raise DatabaseFailed("Too little memory or disk for so many rows, or a file of ours is broken.") from error


async def run_in_thread(connection: DuckDBPyConnection, work: Callable[..., T], *arguments: Any) -> T:
    """Do *work*, which uses *connection*, in a thread; when this is canceled, the work is stopped and waited for."""
    working = asyncio.ensure_future(asyncio.to_thread(work, *arguments))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        while not working.done():
            connection.interrupt()  # again and again: between two statements it is not heard
            await asyncio.wait([working], timeout=_INTERRUPT_SECONDS)
        working.exception()  # that it was interrupted, which nobody needs to be told
        raise
