"""The catalog: the images that a shop's products, categories and app pages reference.

The modules that process all rows (`catalog.database`, `catalog.writing`) are not imported here: they need DuckDB,
which only the reporter loads.
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
