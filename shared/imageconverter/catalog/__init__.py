"""The catalog: what a shop's products, categories and app pages refer to.

What works on all of its rows (`catalog.database`, `catalog.writing`) is not imported here: it brings a database
along, which only the reporter needs.
"""

from imageconverter.catalog.entries import Entry, Notation, read_entries
from imageconverter.catalog.store import current, fetch, publish, sweep
from imageconverter.catalog.version import CatalogVersion

__all__ = [
    "CatalogVersion",
    "Entry",
    "Notation",
    "current",
    "fetch",
    "publish",
    "read_entries",
    "sweep",
]
