"""Rows of a report as CSV."""

import csv
import io
from collections.abc import Iterable
from typing import Any, Final

from imageconverter.reports import Table

CSV_COLUMNS: Final = (
    "kind", "filename", "format", "path", "near", "products", "productCount", "size", "modified",
)  # fmt: skip
SIMILAR_COLUMNS: Final = ("kind", "group", "path", "distance", "width", "height")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_columns(table: Table) -> tuple[str, ...]:
    """Return the columns of the rows of *table*."""
    return SIMILAR_COLUMNS if table == "similar" else CSV_COLUMNS


def csv_lines(table: Table, rows: Iterable[dict[str, Any]]) -> str:
    """Return *rows* as CSV with `csv_columns`, safe to open in a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    for row in rows:
        cells = {**row, "kind": table, "products": "|".join(row.get("products", ()))}
        writer.writerow([escape_csv_formula(cells.get(column, "")) for column in csv_columns(table)])
    return text.getvalue()


def escape_csv_formula(cell: object) -> object:
    """Return *cell*, with an apostrophe in front if a spreadsheet would evaluate it."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
