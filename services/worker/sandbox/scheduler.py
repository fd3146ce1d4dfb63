"""Which waiting image may be converted next. It knows no process, no event loop and no clock."""

from collections import deque
from dataclasses import dataclass

_EXPENSIVE_HOLD_SECONDS = 1.0  # without any other image, after which expensive ones may use all cores


@dataclass(eq=False)
class Ticket:
    """An image that waits or is being converted."""

    interactive: bool
    expensive: bool
    """May change while the image is converted."""


class Scheduler:
    """Lets images begin: interactive ones before batch ones, in their order.

    As many images as there are *cores* are converted at once, and more if that keeps others from waiting for them:

    - One more that is interactive and not expensive, so that batch images never hold it up.
    - Expensive ones: while other images come, half as many as there are cores, but at least one, and one more that is
      interactive beside those that are not. When no other image comes, as many as there are cores.

    Times are seconds of any steady clock.
    """

    def __init__(self, *, cores: int) -> None:
        self._cores = cores
        self._max_expensive = max(1, cores // 2)
        self._interactive: deque[Ticket] = deque()
        self._batch: deque[Ticket] = deque()
        self._running: set[Ticket] = set()
        self._hold_until = 0.0

    @property
    def max_running(self) -> int:
        """The largest number of images that are converted at once."""
        return self._cores + 1 + self._max_expensive

    @property
    def running(self) -> int:
        """The number of images that are being converted."""
        return len(self._running)

    @property
    def expensive(self) -> int:
        """The number of expensive images that are being converted."""
        return sum(each.expensive for each in self._running)

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
        """End an image that was being converted."""
        self._running.discard(ticket)

    def begin(self, now: float) -> list[Ticket]:
        """Let waiting images begin, as far as the rules allow."""
        begun = []
        for queue in (self._interactive, self._batch):
            for ticket in list(queue):
                if self._may_run(ticket, now):
                    queue.remove(ticket)
                    self._running.add(ticket)
                    begun.append(ticket)
        return begun

    def become_expensive(self, ticket: Ticket, now: float) -> bool:
        """Count an image that is being converted as expensive, if there is room for it; returns whether there is."""
        self._running.discard(ticket)
        fits = self._may_run(Ticket(ticket.interactive, expensive=True), now)
        self._running.add(ticket)
        ticket.expensive = ticket.expensive or fits
        return fits

    def begin_again_at(self, now: float) -> float | None:
        """Return when expensive images that are held back may begin; None if none is."""
        waits = any(each.expensive for queue in (self._interactive, self._batch) for each in queue)
        return self._hold_until if waits and now < self._hold_until else None

    def _may_run(self, ticket: Ticket, now: float) -> bool:
        expensive, others = self.expensive, len(self._running) - self.expensive
        left = self.max_running - len(self._running)
        if not ticket.expensive:
            return left > 0 and others < self._cores + 1 if ticket.interactive else left > 1 and others < self._cores
        allowed = self._max_expensive if now < self._hold_until else self._cores
        if ticket.interactive and not any(each.expensive and each.interactive for each in self._running):
            allowed += 1
        return left > 1 and expensive < allowed

    def _queue(self, ticket: Ticket) -> deque[Ticket]:
        return self._interactive if ticket.interactive else self._batch
