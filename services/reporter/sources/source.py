"""A catalog source: the bytes of a catalog and their notation."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from imageconverter.catalog import Notation
from imageconverter.settings import MEGABYTE

_SUFFIXES: Final[dict[str, Notation]] = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}


@dataclass(frozen=True)
class Source:
    """An opened catalog, for `imageconverter.catalog.read_entries`."""

    notation: Notation
    chunks: AsyncIterator[bytes]
    """Raises SourceUnavailable, SourceRefused or StoreUnavailable if it cannot be read to its end."""


@dataclass(frozen=True)
class SourceLimits:
    """Limits of reading a source; times are in seconds."""

    max_bytes: int = 4096 * MEGABYTE
    """Size of the uncompressed catalog."""
    seconds: float = 3600
    """Total time, including the time that the consumer takes."""
    silence_seconds: float = 60
    """Time without a byte from a feed."""
    connect_seconds: float = 10
    """Time until the login at a database."""
    statement_seconds: float = 300
    """Time without a row from a database, which may have to sort before it sends the first."""


def notation_of(path: str) -> Notation:
    """Return the notation of *path* by its suffix, ignoring ".gz"; the default is NDJSON."""
    name = path.lower().removesuffix(".gz")
    return next((notation for suffix, notation in _SUFFIXES.items() if name.endswith(suffix)), "ndjson")
