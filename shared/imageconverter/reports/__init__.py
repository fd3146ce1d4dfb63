"""The report: which images that a catalogue names are missing, and which files it does not name.

What works on all rows at once (`reports.comparison`, `reports.scan`) is not imported here: it brings a database
along, which only the reporter needs.
"""

from imageconverter.reports.index import Report, kept_reports, rows_of
from imageconverter.reports.results import RowPage, Table, read_page, read_rows
from imageconverter.reports.summary import CatalogueSize, Found, Summary

__all__ = [
    "CatalogueSize",
    "Found",
    "Report",
    "RowPage",
    "Summary",
    "Table",
    "kept_reports",
    "read_page",
    "read_rows",
    "rows_of",
]
