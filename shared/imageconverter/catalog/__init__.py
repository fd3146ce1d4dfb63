"""The catalogue: what a shop's products, categories and app pages refer to."""

from imageconverter.catalog.database import Workspace
from imageconverter.catalog.entries import Entry, Notation, read_entries
from imageconverter.catalog.store import current, fetch, publish
from imageconverter.catalog.version import CatalogueVersion, write_version

__all__ = [
    "CatalogueVersion",
    "Entry",
    "Notation",
    "Workspace",
    "current",
    "fetch",
    "publish",
    "read_entries",
    "write_version",
]
