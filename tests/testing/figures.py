"""What the tests of delivery have measured, as a table for `docs/reliability.md`."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Figures:
    """The figures of one session."""

    seed: int
    long: bool
    """Whether there is time for as many faults as the goals say."""
    rows: dict[str, str] = field(default_factory=dict)

    def note(self, goal: str, figure: str) -> None:
        """Keep what was measured for *goal*."""
        self.rows[goal] = figure

    def table(self) -> str:
        """Return the figures in the order of the goals."""
        lines = [f"seed {self.seed}, {'long' if self.long else 'short'} mode", "", "| goal | measured |", "|---|---|"]
        return "\n".join([*lines, *(f"| {goal} | {self.rows[goal]} |" for goal in sorted(self.rows, key=_order))])


def spread(seconds: Sequence[float]) -> str:
    """Return the middle, the 95 % point and the greatest of some times."""
    ordered = sorted(seconds)
    middle, high = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
    return f"p50 {middle:.2f} s, p95 {high:.2f} s, most {ordered[-1]:.2f} s (n={len(ordered)})"


def _order(goal: str) -> tuple[int, str]:
    number = "".join(c for c in goal.partition(" ")[0] if c.isdigit())
    return int(number or 0), goal
