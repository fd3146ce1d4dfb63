"""The most recently used previews, in the memory of one gateway."""

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from cachetools import LRUCache

from imageconverter.previews.exact_format import ExactFormat
from imageconverter.previews.preview_format import PreviewFormat

RequestedFormat = PreviewFormat | ExactFormat
_Name = tuple[str, RequestedFormat, str]


@dataclass(frozen=True, slots=True)
class ServedPreview:
    """A preview as the API returns it."""

    data: bytes
    media_type: str
    etag: str
    from_cache: bool
    """Whether it existed before the request."""
    format: RequestedFormat
    """The target format that was chosen, or the exact one that was requested."""
    queued_seconds: float | None = None
    """Time its conversion waited for a worker; None without a conversion."""


class _Entry(NamedTuple):
    preview: ServedPreview
    looked_up: float
    """Monotonic time of the last look-up in the index."""


class MemoryCache:
    """The least recently used previews go first; one that was looked up more than *seconds* ago is looked up again.

    An entry belongs to one context, because a look-up also records the context in the index.
    """

    def __init__(self, *, max_bytes: int, seconds: float) -> None:
        """Hold up to *max_bytes* of previews."""
        self._seconds = seconds
        self._entries: LRUCache[_Name, _Entry] = LRUCache(max_bytes, getsizeof=lambda entry: len(entry.preview.data))

    def get_fresh(self, key: str, requested: RequestedFormat, context: str) -> ServedPreview | None:
        """Return the preview if it was looked up within the last *seconds*."""
        found = self._entries.get((key, requested, context))
        return found.preview if found is not None and time.monotonic() - found.looked_up <= self._seconds else None

    def get_by_etag(self, key: str, requested: RequestedFormat, context: str, etag: str) -> ServedPreview | None:
        """Return the preview, however old, if its ETag is *etag*."""
        found = self._entries.get((key, requested, context))
        return found.preview if found is not None and found.preview.etag == etag else None

    def put(self, key: str, requested: RequestedFormat, context: str, preview: ServedPreview) -> None:
        """Keep a preview that was looked up just now, unless it is larger than the whole cache."""
        name = (key, requested, context)
        self._entries.pop(name, None)
        with suppress(ValueError):  # too large
            self._entries[name] = _Entry(preview, time.monotonic())

    def invalidate(self, key: str | None = None) -> None:
        """Drop the previews of *key*, or all."""
        for name in [each for each in self._entries if key in (None, each[0])]:
            del self._entries[name]
