"""The report: which images that a catalog names are missing, and which files it does not name.

What works on all rows at once (`reports.comparison`, `reports.scan`) is not imported here: it brings a database
along, which only the reporter needs.
"""

from imageconverter.reports.index import Report, list_reports, rows_of
from imageconverter.reports.results import RowPage, Table, read_page, read_rows
from imageconverter.reports.summary import CatalogSize, Found, Summary

__all__ = [
    "CatalogSize",
    "Found",
    "Report",
    "RowPage",
    "Summary",
    "Table",
    "list_reports",
    "read_page",
    "read_rows",
    "rows_of",
]
