"""How the numbers of a type's reports have changed, as bars."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from imageconverter.reports import Report

WIDTH: Final = 600
HEIGHT: Final = 120
_MIN_BARS: Final = 14  # so that the bars of a few reports are not as wide as the plot
_GAP: Final = 0.25  # of the room of a bar
_MIN_HEIGHT: Final = 2.0  # so that a small number differs from none


class Bar(NamedTuple):
    """A bar; x and y are those of its upper left corner."""

    report: Report
    value: int
    x: float
    y: float
    width: float
    height: float


class Plot(NamedTuple):
    """The bars of all reports, the oldest one first, in a box of `WIDTH` by `HEIGHT`."""

    bars: tuple[Bar, ...]
    maximum: int

    @property
    def newest(self) -> int:
        """The value of the newest report."""
        return self.bars[-1].value if self.bars else 0

    @property
    def change(self) -> int:
        """The difference between the newest report and the one before."""
        return self.bars[-1].value - self.bars[-2].value if len(self.bars) > 1 else 0


def plot(reports: Sequence[Report], value: Callable[[Report], int]) -> Plot:
    """Return the plot of *value* for *reports*, the newest one first."""
    values = [(each, value(each)) for each in reversed(reports)]
    maximum = max((number for _, number in values), default=0)
    room = WIDTH / max(len(values), _MIN_BARS)
    start = WIDTH - room * len(values)
    bars = []
    for index, (report, number) in enumerate(values):
        height = max(_MIN_HEIGHT, HEIGHT * number / maximum) if number else 0.0
        x = start + room * (index + _GAP / 2)
        bars.append(Bar(report, number, round(x, 1), round(HEIGHT - height, 1), round(room * (1 - _GAP), 1), height))
    return Plot(tuple(bars), maximum)


def trend(reports: Sequence[Report]) -> dict[str, Plot]:
    """Return the plots of missing images, unused files and their bytes; abstaining reports have no unused files."""
    judging = [each for each in reports if not each.summary.unused_refused]
    return {
        "missing": plot(reports, lambda each: each.summary.missing),
        "unused": plot(judging, lambda each: each.summary.unused),
        "unused_bytes": plot(judging, lambda each: each.summary.unused_bytes),
    }
