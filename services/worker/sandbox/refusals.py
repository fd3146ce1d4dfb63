"""The system calls of a sandbox process that its filter refuses, by name."""

import asyncio
import errno
import select
from collections import Counter
from collections.abc import Callable

from seccompy import SeccompError, syscall_name
from seccompy.notify import Listener

_MAX_CALLS = 100  # for one image; no decoder needs so many answers, but one that was taken over can make millions


class RefusedCalls:
    """Answers each refused system call of one process with EPERM and counts it."""

    def __init__(self, listener: int, on_flood: Callable[[], None]) -> None:
        """Take over the descriptor *listener*; *on_flood* has to end a process that makes too many such calls."""
        self._listener = Listener(listener)
        self._readable = select.poll()
        self._readable.register(self._listener.fileno(), select.POLLIN)
        self._on_flood = on_flood
        self._names: Counter[str] = Counter()
        asyncio.get_running_loop().add_reader(self._listener.fileno(), self._answer)

    def take(self) -> Counter[str]:
        """Return the calls since the last time, by name."""
        names, self._names = self._names, Counter()
        return names

    def close(self) -> None:
        """Close the listener; what the process calls from now on fails with ENOSYS."""
        if not self._listener.closed:
            asyncio.get_running_loop().remove_reader(self._listener.fileno())
            self._listener.close()

    def _answer(self) -> None:
        # Ready also means that the process has ended, and then `recv` would block for ever.
        if not any(events & select.POLLIN for _, events in self._readable.poll(0)):
            self.close()
            return
        try:
            call = self._listener.recv()
            self._names[_name(call.nr)] += 1
            self._listener.respond(call.id, error=errno.EPERM)
        except SeccompError:  # the calling thread was interrupted or killed meanwhile
            return
        if self._names.total() >= _MAX_CALLS:
            self._on_flood()


def _name(number: int) -> str:
    try:
        return syscall_name(number)
    except ValueError:
        return str(number)
