"""Positions in the sources of a run, at which interrupted work continues."""

from typing import NamedTuple


class PlanCursor(NamedTuple):
    """The position of the planner."""

    batch: int
    """Index of the batch that is being listed."""
    after: str
    """The last key that was enqueued, "" at the start of a batch."""
    planned: int
    """Number of sources enqueued; the index of the next one."""
    outstanding: int
    """How many of them are not recorded yet."""
    listed: bool
    """Whether all batches are listed."""


class CountCursor(NamedTuple):
    """The position of the count, and the numbers so far."""

    batch: int
    """Index of the batch that is being counted."""
    after: str
    """The last key that was counted, "" at the start of a batch."""
    sources: int
    outputs: int
