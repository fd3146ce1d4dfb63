"""Reasons of reports, clean-ups and catalogs, translated."""

from collections.abc import AsyncIterator

import pytest

from imageconverter.catalog import read_entries
from imageconverter.errors import BrokenLine
from imageconverter.reports import CatalogSize
from imageconverter.reports.summary import reason_to_refuse
from services.gateway.console.languages import Languages
from services.gateway.console.reports_reasons import translated

ENGLISH, GERMAN = Languages()


@pytest.mark.parametrize(
    ("reason", "german"),
    [
        ("is missing.", "fehlt."),
        ("No report is at least 7 days older than the newest.",
         "Kein Bericht ist mindestens 7 Tage älter als der neueste."),
        ("3 of 5 files are more than the allowed 20 %.", "3 von 5 Dateien sind mehr als die erlaubten 20 %."),
        ("has 2 columns separated by tabs, the header has 3.",
         "hat 2 Spalten (Trennzeichen: Tabulator), die Kopfzeile hat 3."),
        ("'%(x)s % is 7' is already the id of line 3.", "'%(x)s % is 7' ist schon die id von Zeile 3."),
    ],
)  # fmt: skip
def test_a_known_reason_is_translated_with_its_values(reason: str, german: str) -> None:
    """The values are taken from the English text, and never interpreted."""
    assert translated(GERMAN, reason) == german
    assert translated(ENGLISH, reason) == reason


def test_an_unknown_reason_stays_as_it_is() -> None:
    """English is better than nothing."""
    assert translated(GERMAN, "The moon is full. %s %(x)d") == "The moon is full. %s %(x)d"


@pytest.mark.parametrize(
    "text",
    [
        b"id,active,images\n1,ja,a.jpg\n", b"id,active,images\n1,1,a/b.jpg\n", b"id,active,images\n1,1\n",
        b"id,active,images\n1,1," + b"a" * 256, b"id,active,images\n1,1,.\n", b"id,active\n",
        b"id,active,images\n,1,a.jpg\n", b"id,active,images\n1,1,\xff\n", b'id,active,images\n1,1,"a\nb"\n',
        b'id,active,images\n1,1,"a"b\n',
    ],
)  # fmt: skip
async def test_each_mistake_of_a_csv_file_is_translated(text: bytes) -> None:
    """As the core words it."""

    async def chunks() -> AsyncIterator[bytes]:
        yield text

    with pytest.raises(BrokenLine) as caught:
        async for _ in read_entries(chunks(), "csv"):
            pass
    assert translated(GERMAN, caught.value.problem) != caught.value.problem


@pytest.mark.parametrize("size", [CatalogSize(5, 0), CatalogSize(4, 9), CatalogSize(9, 4)])
def test_each_reason_to_abstain_is_translated(size: CatalogSize) -> None:
    """A catalog without images, or with less than half of the entries or images."""
    reason = reason_to_refuse(size, CatalogSize(10, 10))

    assert reason != ""
    assert translated(GERMAN, reason) != reason
