"""How far the work on a run has come."""

from typing import NamedTuple


class PlanCursor(NamedTuple):
    """How far the planner has come."""

    batch: int
    """Index of the batch that is being listed."""
    after: str
    """The last key that was handed out, "" at the start of a batch."""
    planned: int
    """Sources handed out so far; the index of the next one."""
    outstanding: int
    """Of these, how many are not recorded yet."""
    listed: bool
    """Whether every batch was listed to its end."""


class CountCursor(NamedTuple):
    """How far the sources are counted."""

    batch: int
    """Index of the batch that is being counted."""
    after: str
    """The last key that was counted, "" at the start of a batch."""
    sources: int
    outputs: int
