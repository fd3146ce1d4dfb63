"""Reports: the images of a catalog whose files are missing, and the files that the catalog does not use.

The modules that process all rows (`reports.comparison`, `reports.scan`) are not imported here: they need DuckDB,
which only the reporter loads.
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
