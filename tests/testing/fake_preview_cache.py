"""A preview cache in memory, which lets tests produce every response."""

import hashlib
from collections.abc import AsyncIterator
from typing import Any

from imageconverter.errors import ImageConverterError, InvalidFileFormat, NotFound
from imageconverter.jobs import Client
from imageconverter.previews import ExactFormat, choose, parse_list
from imageconverter.previews.cache import PreviewCache
from imageconverter.previews.index import Totals
from imageconverter.previews.memory_cache import RequestedFormat, ServedPreview
from imageconverter.settings import PreviewSettings
from imageconverter.storage.store import StoredObject

TARGET_FORMATS = parse_list(PreviewSettings().target_formats)
_BATCH = 1000

_UNKNOWN = Client()


class StandIn(PreviewCache):
    """A cache that returns the source as the preview, and rejects files other than PNG."""

    def __init__(self) -> None:
        """Start with an empty cache."""
        self.sources: dict[str, bytes] = {}
        self.contexts: dict[str, set[str]] = {}
        self.fault: ImageConverterError | None = None
        """The error of all calls."""
        self.owners: list[str] = []
        self.asked: list[tuple[str, RequestedFormat]] = []

    async def get(
        self,
        key: str,
        requested: RequestedFormat,
        *,
        context: str = "",
        client: Client = _UNKNOWN,
        source: StoredObject | None = None,  # noqa: ARG002 - of previews of sources
    ) -> ServedPreview:
        """Return the source."""
        self.owners.append(client.owner)
        self._fail()
        return self._answer(key, requested, context, from_cache=True)

    async def cache_and_get(
        self, key: str, requested: RequestedFormat, source: bytes, *, context: str = "", client: Client = _UNKNOWN
    ) -> ServedPreview:
        """Return the stored source, or store and return *source*."""
        self.owners.append(client.owner)
        self._fail()
        is_new = key not in self.sources
        if is_new:
            self._put(key, source, context)
        return self._answer(key, requested, context, from_cache=not is_new)

    async def cache(self, key: str, source: bytes, *, context: str = "", client: Client = _UNKNOWN) -> None:
        """Store the source."""
        self.owners.append(client.owner)
        self._fail()
        self._put(key, source, context)

    async def metadata(self, key: str) -> dict[str, Any]:
        """Return the example of the API's document."""
        self._fail()
        size = len(self._source(key))
        return {
            "Header": {
                "Header Pixel Width": {"id": 0x9001, "value": 640, "description": "640 pixels"},
                "Header Pixel Height": {"id": 0x9002, "value": 480, "description": "480 pixels"},
                "Header Format Name": {"id": 0x9010, "value": "png", "description": "png"},
            },
            "File": {"File Size": {"id": 2, "value": size, "description": f"{size} bytes"}},
        }

    async def clear(self, *, context: str = "") -> int:
        """Delete all sources of a context."""
        self._fail()
        gone = self._keys(context)
        for key in gone:
            del self.sources[key]
        return len(gone)

    async def clear_key(self, key: str) -> bool:
        """Delete one source."""
        self._fail()
        return self.sources.pop(key, None) is not None

    async def count(self, context: str = "") -> int:
        """Count the keys."""
        self._fail()
        return len(self._keys(context))

    async def keys(self, context: str = "") -> AsyncIterator[list[str]]:
        """List the keys; raises the error, if set, at the end."""
        keys = self._keys(context)
        for start in range(0, len(keys), _BATCH):
            yield keys[start : start + _BATCH]
        self._fail()

    async def totals(self) -> Totals:
        """Return the totals."""
        self._fail()
        return Totals(len(self.sources), sum(map(len, self.sources.values())), None)

    def _fail(self) -> None:
        if self.fault is not None:
            raise self.fault

    def _put(self, key: str, source: bytes, context: str) -> None:
        if not source.startswith(b"\x89PNG"):
            raise InvalidFileFormat("The file is not an image of a supported format.")
        self.sources[key] = source
        self.contexts[key] = {context}

    def _source(self, key: str) -> bytes:
        if key not in self.sources:
            raise NotFound("There is no image of that key.")
        return self.sources[key]

    def _answer(self, key: str, requested: RequestedFormat, context: str, *, from_cache: bool) -> ServedPreview:
        self.asked.append((key, requested))
        data = self._source(key)
        self.contexts[key].add(context)
        etag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
        chosen = requested if isinstance(requested, ExactFormat) else choose(requested, TARGET_FORMATS)
        return ServedPreview(data, "image/png", etag, from_cache, chosen)

    def _keys(self, context: str) -> list[str]:
        return [key for key in self.sources if not context or context in self.contexts[key]]
