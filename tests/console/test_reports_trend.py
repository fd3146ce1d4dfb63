"""The plots of reports, and their schedule in words."""

from datetime import UTC, datetime, timedelta

import pytest

from imageconverter.reports import CatalogSize, Report, Summary
from imageconverter.schedules.schedule import Schedule
from services.gateway.console.languages import Languages
from services.gateway.console.reports_trend import HEIGHT, WIDTH, trend
from services.gateway.console.schedules import in_words

ENGLISH, GERMAN = Languages()


def report(number: int, *, missing: int, unused: int, refused: str = "") -> Report:
    """Make a report; each unused file has a thousand bytes."""
    summary = Summary(
        catalog=CatalogSize(1, 1),
        files=100,
        file_bytes=100_000,
        ignored=0,
        missing=missing,
        missing_but_near=0,
        unused=unused,
        unused_bytes=1000 * unused,
        formats={},
        unused_refused=refused,
        shared_directories=(),
    )
    at = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(days=number)
    return Report(id=number, at=at, folder=str(number), catalog="c", formats="f", summary=summary)


def test_bars_are_as_high_as_their_numbers() -> None:
    """The newest report is at the right; the largest number is as high as the plot, and none has no bar."""
    plots = trend([report(3, missing=0, unused=20), report(2, missing=10, unused=5), report(1, missing=5, unused=0)])

    missing = plots["missing"]
    assert [(each.report.id, each.value, each.height) for each in missing.bars] == [
        (1, 5, HEIGHT / 2), (2, 10, HEIGHT), (3, 0, 0),
    ]  # fmt: skip
    assert (missing.maximum, missing.newest, missing.change) == (10, 0, -10)
    assert [each.x for each in missing.bars] == sorted(each.x for each in missing.bars)
    assert all(
        each.x >= 0 and each.x + each.width <= WIDTH and each.y + each.height == HEIGHT for each in missing.bars
    )
    assert [each.value for each in plots["unused_bytes"].bars] == [0, 5000, 20_000]


def test_a_small_number_differs_from_none() -> None:
    """Beside a very large one."""
    bars = trend([report(2, missing=1, unused=0), report(1, missing=1_000_000, unused=0)])["missing"].bars

    assert bars[1].height >= 1


def test_reports_that_abstain_have_no_number_of_unused_files() -> None:
    """None would be wrong."""
    plots = trend([report(2, missing=1, unused=0, refused="Too small."), report(1, missing=1, unused=7)])

    assert [each.report.id for each in plots["unused"].bars] == [1]
    assert [each.report.id for each in plots["missing"].bars] == [1, 2]
    assert trend([])["missing"].bars == ()


@pytest.mark.parametrize(
    ("cron", "english", "german"),
    [
        ("", "Only on request", "Nur auf Anforderung"),
        ("30 3 * * *", "Every day at 3:30 AM", "Täglich um 03:30 Uhr"),
        ("0 15 * * 1", "Every Monday at 3:00 PM", "Jeden Montag um 15:00 Uhr"),
        ("0 15 * * 0", "Every Sunday at 3:00 PM", "Jeden Sonntag um 15:00 Uhr"),
        ("0 15 * * 7", "Every Sunday at 3:00 PM", "Jeden Sonntag um 15:00 Uhr"),
        ("0 15 1 * *", "", ""),
        ("*/5 3 * * *", "", ""),
        ("*/5 * * * *", "Every 5 minutes", "Alle 5 Minuten"),
    ],
)
def test_simple_schedules_are_put_into_words(cron: str, english: str, german: str) -> None:
    """Others are shown as they are."""
    schedule = Schedule.parse(cron, "")

    assert in_words(schedule, ENGLISH).replace("\u202f", " ") == english
    assert in_words(schedule, GERMAN) == german
