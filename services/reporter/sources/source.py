"""What a source gives, whatever its kind: the bytes of a catalog and the notation that they are in."""

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
    """Raises SourceUnavailable, SourceRefused or StoreUnavailable where it cannot be read to its end."""


@dataclass(frozen=True)
class SourceLimits:
    """What reading a source may take; times are in seconds."""

    max_bytes: int = 4096 * MEGABYTE
    """Of the catalog's text, once it is no longer compressed."""
    seconds: float = 3600
    """From the first to the last byte, with the time that the reader of the bytes takes in between."""
    silence_seconds: float = 60
    """Without a byte from a feed."""
    connect_seconds: float = 10
    """Until a database has let us in."""
    statement_seconds: float = 300
    """Without a row from a database: it may have to sort before it gives the first."""


def notation_of(path: str) -> Notation:
    """Return the notation that the suffix of *path* tells, passing over ".gz"; NDJSON where it tells none."""
    name = path.lower().removesuffix(".gz")
    return next((notation for suffix, notation in _SUFFIXES.items() if name.endswith(suffix)), "ndjson")
