"""The limit of requests of the ImageConverter API that are in progress at the same time."""

from collections.abc import Iterator
from contextlib import contextmanager

from imageconverter.errors import TooManyRequests


class RequestSlots:
    """A number of slots. A request has one while the gateway works on it, never while its body arrives."""

    def __init__(self, limit: int) -> None:
        """Start with *limit* free slots."""
        self._free = limit

    def require_free(self) -> None:
        """Raise TooManyRequests if no slot is free: the client need not send its body."""
        if self._free <= 0:
            raise TooManyRequests("Too many concurrent requests; try again in a moment.")

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Occupy a slot until the block ends; raises TooManyRequests if none is free."""
        self.require_free()
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1
