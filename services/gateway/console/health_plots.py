"""The plots of the page *Health*: stacked bars, one for each minute of the last hour."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import accumulate
from typing import Final, Literal, NamedTuple

from imageconverter.monitoring.history import Conversions, Minute

WIDTH: Final = 600
HEIGHT: Final = 100
_GAP: Final = 2
_MIN_HEIGHT: Final = 1
_STEP: Final = 5  # minutes in a row of the table

Kind = Literal["main", "second", "bad"]


class Series(NamedTuple):
    """Numbers that are shown in one color, the first one for the oldest minute."""

    name: str
    kind: Kind
    values: Sequence[float]

    @property
    def total(self) -> float:
        """The sum of all."""
        return sum(self.values)


class Shape(NamedTuple):
    """The bars of one series."""

    kind: Kind
    path: str
    """As an SVG path; the origin is the upper left corner."""


class Row(NamedTuple):
    """A row of the table that says the same as the plot."""

    begins: datetime
    values: list[float]


class Plot(NamedTuple):
    """A plot."""

    name: str
    series: list[Series]
    times: list[datetime]

    @property
    def maximum(self) -> float:
        """The height of the highest column."""
        return max(map(sum, self._columns()), default=0)

    @property
    def data(self) -> dict[str, list[object]]:
        """The times, and the values of each minute, for a script that shows them."""
        return {"times": [time.isoformat() for time in self.times], "values": list(self._columns())}

    def shapes(self) -> Iterator[Shape]:
        """Yield the bars, those of each series above those of the series before."""
        scale = HEIGHT / (self.maximum or 1)
        width = WIDTH / max(1, len(self.times))
        stacked = [list(accumulate(values)) for values in self._columns()]
        for number, series in enumerate(self.series):
            bars = [
                _bar(index * width, width - _GAP, HEIGHT - stacked[index][number] * scale, value * scale)
                for index, value in enumerate(series.values)
                if value
            ]
            yield Shape(series.kind, "".join(bars))

    def rows(self) -> Iterator[Row]:
        """Yield the sums of five minutes each, the newest first."""
        for start in range(len(self.times) - _STEP, -1, -_STEP):
            yield Row(self.times[start], [sum(each.values[start : start + _STEP]) for each in self.series])

    def _columns(self) -> Iterator[tuple[float, ...]]:
        return zip(*(each.values for each in self.series), strict=True)


def _bar(x: float, width: float, y: float, height: float) -> str:
    missing = max(0.0, _MIN_HEIGHT - height)  # so that a single failure among a thousand images can be seen
    return f"M{x:.1f} {max(0.0, y - missing):.1f}h{width:.1f}v{height + missing:.1f}h-{width:.1f}z"


def plots_of(minutes: Sequence[Minute]) -> list[Plot]:
    """Return all plots of the last hour."""
    times = [datetime.fromtimestamp(minute.at, UTC) for minute in minutes]
    conversions = [minute.conversions for minute in minutes]

    def images(name: str, kind: Kind, *outcomes: str) -> Series:
        return Series(name, kind, [_images(each, outcomes) for each in conversions])

    def counted(name: str, kind: Kind, *counts: str) -> Series:
        return Series(name, kind, [sum(minute.counts.get(count, 0) for count in counts) for minute in minutes])

    return [
        Plot(
            "images",
            [
                images("converted", "main", "success", "warning"),
                images("skipped", "second", "skipped"),
                images("failed", "bad", "error", "unavailable"),
            ],
            times,
        ),
        Plot(
            "previews",
            [counted("cached", "second", "previews.cached"), counted("converted", "main", "previews.converted")],
            times,
        ),
        Plot(
            "requests",
            [
                counted("answered", "main", "requests.1xx", "requests.2xx", "requests.3xx"),
                counted("refused", "second", "requests.4xx"),
                counted("failed", "bad", "requests.5xx"),
            ],
            times,
        ),
        Plot(
            "bytes",
            [
                Series("read", "second", [sum(each.bytes_in for each in found) for found in conversions]),
                Series("written", "main", [sum(each.bytes_out for each in found) for found in conversions]),
            ],
            times,
        ),
    ]


def _images(conversions: Sequence[Conversions], outcomes: Sequence[str]) -> int:
    return sum(
        count
        for each in conversions
        if each.of.kind == "image"
        for outcome, count in each.outcomes.items()
        if outcome in outcomes
    )
