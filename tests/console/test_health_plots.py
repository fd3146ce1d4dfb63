"""The plots of the page *Health*."""

import re

import pytest

from imageconverter.monitoring.history import Minute
from services.gateway.console.health_plots import Plot, plots_of


def minute(number: int, **counts: int) -> Minute:
    """Return a minute with *counts*, in whose names dots are written as `__`."""
    return Minute(1_800_000_000 + 60 * number, {name.replace("__", "."): count for name, count in counts.items()})


def plot(name: str, minutes: list[Minute]) -> Plot:
    """Return one of the plots of *minutes*."""
    return next(each for each in plots_of(minutes) if each.name == name)


def bars(path: str) -> list[tuple[float, float, float, float]]:
    """Return x, y, width and height of each bar of a path."""
    found = re.findall(r"M(\S+) (\S+)h(\S+)v(\S+)h-(\S+)z", path)
    assert "".join(f"M{x} {y}h{w}v{h}h-{w2}z" for x, y, w, h, w2 in found) == path
    return [(float(x), float(y), float(width), float(height)) for x, y, width, height, _ in found]


def test_bars_are_stacked_and_as_high_as_their_numbers() -> None:
    """The highest column fills the plot; what failed is on top of what was converted."""
    minutes = [minute(0), minute(1, image__batch__success=30, image__interactive__success=30, image__batch__error=20)]
    minutes.append(minute(2, image__batch__success=40))
    converted, skipped, failed = plot("images", minutes).shapes()

    assert bars(converted.path) == [(200.0, 25.0, 198.0, 75.0), (400.0, 50.0, 198.0, 50.0)]
    assert bars(failed.path) == [(200.0, 0.0, 198.0, 25.0)]
    assert skipped.path == ""


def test_a_single_failure_among_many_images_can_be_seen() -> None:
    """It is a line, and stays inside of the plot."""
    *_, failed = plot("images", [minute(0, image__batch__success=100_000, image__batch__unavailable=1)]).shapes()
    ((_, y, _, height),) = bars(failed.path)

    assert (y, height) == (0.0, 1.0)


def test_the_table_has_the_same_sums() -> None:
    """In steps of five minutes, the newest first."""
    minutes = [minute(number, requests__2xx=number, requests__5xx=1) for number in range(60)]
    found = plot("requests", minutes)
    rows = list(found.rows())

    assert len(rows) == 12
    assert (rows[0].begins.timestamp(), rows[0].values) == (minutes[55].at, [55 + 56 + 57 + 58 + 59, 0, 5])
    assert [sum(column) for column in zip(*(row.values for row in rows), strict=True)] == [
        series.total for series in found.series
    ]


@pytest.mark.parametrize("minutes", [[], [minute(0)]])
def test_a_plot_without_numbers_is_empty(minutes: list[Minute]) -> None:
    """As of a new installation."""
    for each in plots_of(minutes):
        assert each.maximum == 0
        assert [shape.path for shape in each.shapes()] == [""] * len(each.series)
