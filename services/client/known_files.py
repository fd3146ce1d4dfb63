"""What is known of local files, kept from one command to the next: digests, and which outputs are up to date."""

import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from services.client.local_images import Signature

_FILE = "files-1.sqlite"
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS facts (kind TEXT, path TEXT, size INTEGER, modified INTEGER, inode INTEGER, "
    "fact TEXT, PRIMARY KEY (kind, path)) WITHOUT ROWID"
)
_WAIT_SECONDS = 5.0
_NANOSECONDS = 1_000_000_000
_UNSETTLED_NANOSECONDS = 2 * _NANOSECONDS  # a file may change again within the same tick of its file system's clock


class KnownFiles:
    """Facts of files by their kind; each holds until its file changes. A context manager that saves them at its end.

    A folder that cannot be used costs only the work of finding the facts again.
    """

    def __init__(self, folder: Path, *kinds: str) -> None:
        """Read the facts of *kinds* that are stored in *folder*."""
        self._file = folder / _FILE
        self._kinds = kinds
        self._facts: dict[tuple[str, str], tuple[Signature, str]] = {}
        self._new: dict[tuple[str, str], tuple[Signature, str]] = {}

    def __enter__(self) -> Self:
        if self._file.exists():
            with suppress(sqlite3.Error), closing(self._connect()) as database:
                marks = ",".join("?" * len(self._kinds))
                rows = database.execute(f"SELECT * FROM facts WHERE kind IN ({marks})", self._kinds)  # noqa: S608 - marks only
                for kind, path, size, modified, inode, fact in rows:
                    self._facts[kind, path] = Signature(size, modified, inode), fact
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._new:
            return
        rows = [(*key, *signature, fact) for key, (signature, fact) in self._new.items()]
        with suppress(sqlite3.Error, OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with closing(self._connect()) as database, database:
                database.execute(_SCHEMA)
                database.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?, ?, ?, ?, ?)", rows)

    def get(self, kind: str, path: Path, signature: Signature) -> str:
        """Return the fact of a file, "" if there is none or the file has changed."""
        known, fact = self._facts.get((kind, str(path)), (None, ""))
        return fact if known == signature else ""

    def add(self, kind: str, path: Path, signature: Signature, fact: str) -> None:
        """Store a fact, unless the file has changed so recently that another change might not show."""
        if time.time_ns() - signature.modified > _UNSETTLED_NANOSECONDS:
            self._add(kind, path, signature, fact)

    def current(self, kind: str, path: Path) -> str:
        """Return the fact of a file as it is now, "" if there is none or no such file."""
        try:
            signature = Signature.of(path.stat())
        except OSError:
            return ""
        return self.get(kind, path.absolute(), signature)

    def add_new(self, kind: str, path: Path, fact: str) -> None:
        """Store a fact of a file that this process has just written. Raises OSError."""
        self._add(kind, path.absolute(), Signature.of(path.stat()), fact)

    def _add(self, kind: str, path: Path, signature: Signature, fact: str) -> None:
        self._facts[kind, str(path)] = self._new[kind, str(path)] = signature, fact

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._file, timeout=_WAIT_SECONDS)
