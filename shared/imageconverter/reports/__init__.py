"""The report: which images that a catalogue names are missing, and which files it does not name."""

from imageconverter.reports.comparison import compare
from imageconverter.reports.listing import Listing
from imageconverter.reports.results import RowPage, Table, part_names, read_page
from imageconverter.reports.summary import CatalogueSize, Found, Summary

__all__ = [
    "CatalogueSize",
    "Found",
    "Listing",
    "RowPage",
    "Summary",
    "Table",
    "compare",
    "part_names",
    "read_page",
]
