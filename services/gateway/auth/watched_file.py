"""Files with credentials that are read again when they change."""

import time
from pathlib import Path
from typing import Final

_CHECK_SECONDS: Final = 1.0


class WatchedFile:
    """A file of which a change is noticed within about a second, also if it is replaced."""

    def __init__(self, path: Path) -> None:
        """Watch the file at *path*; nothing is read yet."""
        self.path = path
        self._state: object = None
        self._next_check = 0.0

    def has_changed(self) -> bool:
        """Return whether the file differs from that of the last call; true for the first call.

        Raises OSError if it cannot be accessed.
        """
        now = time.monotonic()
        if now < self._next_check:
            return False
        self._next_check = now + _CHECK_SECONDS
        found = self.path.stat()
        state = (found.st_mtime_ns, found.st_size, found.st_ino)
        changed, self._state = state != self._state, state
        return changed
