"""The previews that are asked for most, in the memory of one process."""

import time
from collections import OrderedDict
from dataclasses import dataclass

from imageconverter.previews.preview_format import PreviewFormat


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


class HotPreviews:
    """Least recently used previews go first. What was looked up longer ago than *seconds* is looked up again."""

    def __init__(self, *, most_bytes: int, seconds: float) -> None:
        """Hold up to *most_bytes* of previews."""
        self._most_bytes = most_bytes
        self._seconds = seconds
        self._bytes = 0
        self._entries: OrderedDict[tuple[str, PreviewFormat], tuple[float, ServedPreview]] = OrderedDict()

    def fresh(self, key: str, requested: PreviewFormat) -> ServedPreview | None:
        """Return the preview where it was looked up a moment ago."""
        found = self._entries.get((key, requested))
        if found is None or time.monotonic() - found[0] > self._seconds:
            return None
        self._entries.move_to_end((key, requested))
        return found[1]

    def same(self, key: str, requested: PreviewFormat, etag: str) -> ServedPreview | None:
        """Return the preview, however old, where it is the one of *etag*."""
        found = self._entries.get((key, requested))
        return found[1] if found is not None and found[1].etag == etag else None

    def keep(self, key: str, requested: PreviewFormat, preview: ServedPreview) -> None:
        """Remember a preview that was looked up just now."""
        self._drop((key, requested))
        if len(preview.data) > self._most_bytes:
            return
        self._entries[key, requested] = (time.monotonic(), preview)
        self._bytes += len(preview.data)
        while self._bytes > self._most_bytes:
            self._drop(next(iter(self._entries)))

    def forget(self, key: str | None = None) -> None:
        """Forget the previews of *key*, or all."""
        for entry in [each for each in self._entries if key in (None, each[0])]:
            self._drop(entry)

    def _drop(self, entry: tuple[str, PreviewFormat]) -> None:
        found = self._entries.pop(entry, None)
        if found is not None:
            self._bytes -= len(found[1].data)
