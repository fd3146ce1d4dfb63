"""The measurements of the reliability tests, as a table for `docs/reliability.md`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pytest

_SEED, _FIGURE = "seed of faults", "delivery: "


@dataclass
class Figures:
    """The figures of one test, stored in its report, which parallel workers send to the main process."""

    seed: int
    long: bool
    """Whether there is time for as many faults as the goals say."""
    properties: list[tuple[str, object]] = field(default_factory=list)
    """The user properties of the test's report."""

    def note(self, goal: str, figure: str) -> None:
        """Record the measured *figure* for *goal*."""
        self.properties += [(_SEED, self.seed), (_FIGURE + goal, figure)]


def figures_table(reports: Iterable[pytest.TestReport], *, long: bool) -> str:
    """Return the figures in the order of the goals; empty if there are none."""
    found = [each for report in reports if report.when == "call" for each in report.user_properties]
    seeds = {value for name, value in found if name == _SEED}
    rows = {name.removeprefix(_FIGURE): value for name, value in found if name.startswith(_FIGURE)}
    if not rows:
        return ""
    seed = ", ".join(map(str, seeds))
    lines = [f"seed {seed}, {'long' if long else 'short'} mode", "", "| goal | measured |", "|---|---|"]
    return "\n".join([*lines, *(f"| {goal} | {rows[goal]} |" for goal in sorted(rows, key=_order))])


def spread(seconds: Sequence[float]) -> str:
    """Return median, 95th percentile and maximum of *seconds* as text."""
    ordered = sorted(seconds)
    middle, high = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
    return f"p50 {middle:.2f} s, p95 {high:.2f} s, most {ordered[-1]:.2f} s (n={len(ordered)})"


def _order(goal: str) -> tuple[int, str]:
    number = "".join(c for c in goal.partition(" ")[0] if c.isdigit())
    return int(number or 0), goal
