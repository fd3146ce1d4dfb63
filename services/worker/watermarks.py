"""The watermarks that a worker has read last, kept in its memory."""

import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from imageconverter import keys
from imageconverter.engine import Target
from imageconverter.quoting import quoted
from imageconverter.settings import MEGABYTE
from imageconverter.storage.store import ObjectStore

if TYPE_CHECKING:
    from typing_extensions import Buffer

_MAX_BYTES: Final = 4 * MEGABYTE
_MAX_KEPT_BYTES: Final = 16 * MEGABYTE
_FRESH_SECONDS: Final = 1.0


class Watermark(NamedTuple):
    """The file of a watermark."""

    data: "Buffer"
    etag: str


@dataclass
class Watermarks:
    """Reads watermarks from the *store*, and keeps them for as long as they are the same there."""

    store: ObjectStore
    _kept: OrderedDict[str, Watermark] = field(default_factory=OrderedDict)
    _checked: dict[str, float] = field(default_factory=dict)

    async def read(
        self, targets: Iterable[Target], *, may_be_old: bool = False
    ) -> tuple[dict[str, Watermark], dict[str, str]]:
        """Return the watermarks of *targets* by their paths, and why others are unusable.

        One that *may be old* is that of a second ago. Raises StoreUnavailable.
        """
        found, problems = {}, {}
        for path in sorted({target.watermark for target in targets if target.watermark}):
            watermark = await self._current(path, may_be_old=may_be_old)
            if isinstance(watermark, Watermark):
                found[path] = watermark
            else:
                problems[path] = f"The watermark {quoted(path)} {watermark}."
        return found, problems

    async def _current(self, path: str, *, may_be_old: bool) -> Watermark | str:
        """Return the watermark at *path*, or why it cannot be used."""
        kept = self._kept.get(path)
        if may_be_old and kept is not None and time.monotonic() - self._checked[path] < _FRESH_SECONDS:
            self._kept.move_to_end(path)
            return kept
        stored = await self.store.head(keys.source(path))
        if stored is not None and stored.size > _MAX_BYTES:
            return f"has more than {_MAX_BYTES // MEGABYTE} MiB"
        if stored is None:
            return "does not exist"
        if kept is None or kept.etag != stored.etag:
            loaded = await self.store.get(keys.source(path), max_bytes=_MAX_BYTES)
            if loaded is None:
                return "does not exist"
            kept = Watermark(loaded.data, loaded.stored.etag)
        self._keep(path, kept)
        return kept

    def _keep(self, path: str, watermark: Watermark) -> None:
        """Keep a watermark, and drop those that were not used for longest if there is no room."""
        self._kept[path], self._checked[path] = watermark, time.monotonic()
        self._kept.move_to_end(path)
        while sum(memoryview(each.data).nbytes for each in self._kept.values()) > _MAX_KEPT_BYTES:
            oldest, _ = self._kept.popitem(last=False)
            del self._checked[oldest]
