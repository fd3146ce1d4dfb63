"""What a process of the sandbox writes to stderr."""

import os
from typing import Self

_PIPE_BYTES = 64 * 1024  # that the kernel keeps; more is lost
_LAST_CHARACTERS = 2000


class Stderr:
    """The reading end of a pipe that is the stderr of a process."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def pipe(cls) -> tuple[Self, int]:
        """Make a pipe; returns its reading end, and the descriptor of its writing end."""
        reading, writing = os.pipe()
        for end in (reading, writing):
            os.set_blocking(end, False)  # a full pipe must not block the process
        return cls(reading), writing

    def read(self) -> list[str]:
        """Return the last lines that were written since the last time."""
        try:
            text = os.read(self._descriptor, _PIPE_BYTES)
        except BlockingIOError:
            return []
        return text.decode(errors="replace")[-_LAST_CHARACTERS:].splitlines()

    def close(self) -> None:
        """Close the reading end."""
        os.close(self._descriptor)
