"""Which waiting image gets the next free process. It knows no process, no event loop and no clock."""

from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

_EXPENSIVE_HOLD_SECONDS = 1.0  # without any other image, after which expensive ones get all processes

Process = TypeVar("Process")


@dataclass(frozen=True, eq=False)
class Ticket:
    """An image that waits for a process or has one."""

    interactive: bool
    expensive: bool


class Scheduler(Generic[Process]):
    """Assigns free processes to images: interactive ones before batch ones, in their order.

    While other images come, expensive ones get *max_expensive* processes at most, so that a few of them never hold up
    all the others. Times are seconds of any steady clock.
    """

    def __init__(self, *, max_expensive: int) -> None:
        self._max_expensive = max_expensive
        self._free: list[Process] = []
        self._interactive: deque[Ticket] = deque()
        self._batch: deque[Ticket] = deque()
        self._expensive = 0
        self._hold_until = 0.0

    @property
    def free(self) -> int:
        """The number of free processes."""
        return len(self._free)

    @property
    def expensive(self) -> int:
        """The number of expensive images that have a process."""
        return self._expensive

    def submit(self, *, interactive: bool, expensive: bool, now: float) -> Ticket:
        """Queue an image."""
        if not expensive:
            self._hold_until = now + _EXPENSIVE_HOLD_SECONDS
        ticket = Ticket(interactive, expensive)
        self._queue(ticket).append(ticket)
        return ticket

    def withdraw(self, ticket: Ticket) -> None:
        """Remove an image that still waits."""
        self._queue(ticket).remove(ticket)

    def finish(self, ticket: Ticket) -> None:
        """End an image that had a process, which is not free until it is added again."""
        self._expensive -= ticket.expensive

    def add(self, process: Process) -> None:
        """Add a free process."""
        self._free.append(process)

    def discard(self, process: Process) -> None:
        """Remove a process that has ended, if it was free."""
        if process in self._free:
            self._free.remove(process)

    def assign(self, now: float) -> list[tuple[Ticket, Process]]:
        """Assign free processes to waiting images, as far as the rules allow."""
        assigned = []
        for queue in (self._interactive, self._batch):
            for ticket in list(queue):
                if self._free and not self._is_held(ticket, now):
                    queue.remove(ticket)
                    self._expensive += ticket.expensive
                    assigned.append((ticket, self._free.pop()))
        return assigned

    def assign_again_at(self) -> float | None:
        """Return when images that are held back may be assigned; None if none is."""
        return self._hold_until if self._free and (self._interactive or self._batch) else None

    def _is_held(self, ticket: Ticket, now: float) -> bool:
        return ticket.expensive and now < self._hold_until and self._expensive >= self._max_expensive

    def _queue(self, ticket: Ticket) -> deque[Ticket]:
        return self._interactive if ticket.interactive else self._batch
