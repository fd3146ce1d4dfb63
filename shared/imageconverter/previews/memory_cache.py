"""The previews that are asked for most, in the memory of one process."""

import time
from collections import OrderedDict
from dataclasses import dataclass

from imageconverter.previews.preview_format import PreviewFormat

_Name = tuple[str, PreviewFormat, str]


@dataclass(frozen=True, slots=True)
class ServedPreview:
    """A preview as it is answered."""

    data: bytes
    media_type: str
    etag: str
    from_cache: bool
    """Whether it was there before the request."""
    format: PreviewFormat
    """The target format that answered."""
    queued_seconds: float | None = None
    """How long its conversion waited for a worker, where the request has had one."""


@dataclass(slots=True)
class _Entry:
    preview: ServedPreview
    looked_up: float
    used: bool = False
    """Since it was last passed over."""


class MemoryCache:
    """What was not used for longest goes first. What was looked up longer ago than *seconds* is looked up again.

    An entry is for one context, for a look-up tells the index of the context too.
    """

    def __init__(self, *, max_bytes: int, seconds: float) -> None:
        """Hold up to *max_bytes* of previews."""
        self._most_bytes = max_bytes
        self._seconds = seconds
        self._bytes = 0
        self._entries: OrderedDict[_Name, _Entry] = OrderedDict()

    def get_fresh(self, key: str, requested: PreviewFormat, context: str) -> ServedPreview | None:
        """Return the preview where it was looked up a moment ago."""
        found = self._entries.get((key, requested, context))
        if found is None or time.monotonic() - found.looked_up > self._seconds:
            return None
        found.used = True  # and not moved to the end: that would be a second look-up, thousands of times a second
        return found.preview

    def get_by_etag(self, key: str, requested: PreviewFormat, context: str, etag: str) -> ServedPreview | None:
        """Return the preview, however old, where it is the one of *etag*."""
        found = self._entries.get((key, requested, context))
        return found.preview if found is not None and found.preview.etag == etag else None

    def put(self, key: str, requested: PreviewFormat, context: str, preview: ServedPreview) -> None:
        """Remember a preview that was looked up just now."""
        name = (key, requested, context)
        self._drop(name)
        if len(preview.data) > self._most_bytes:
            return
        self._entries[name] = _Entry(preview, time.monotonic())
        self._bytes += len(preview.data)
        while self._bytes > self._most_bytes:
            oldest, entry = next(iter(self._entries.items()))
            if entry.used or oldest == name:
                entry.used = False
                self._entries.move_to_end(oldest)
            else:
                self._drop(oldest)

    def invalidate(self, key: str | None = None) -> None:
        """Forget the previews of *key*, or all."""
        for name in [each for each in self._entries if key in (None, each[0])]:
            self._drop(name)

    def _drop(self, name: _Name) -> None:
        found = self._entries.pop(name, None)
        if found is not None:
            self._bytes -= len(found.preview.data)
