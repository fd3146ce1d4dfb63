"""A substitute for a store in which all outputs of many sources are up to date."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from obstore import Bytes
from pydantic_core import to_json

from bench.simulated import ONE_PIXEL, SimulatedStore
from imageconverter import keys
from imageconverter.images.conversions import fingerprints, output_specs
from imageconverter.images.image_formats import ImageFormat
from imageconverter.storage.store import LoadedObject, StoredObject

if TYPE_CHECKING:
    from typing_extensions import Buffer

_PAGE: Final = 1000
_ETAG: Final = '"one pixel"'
_MODIFIED: Final = datetime(2026, 1, 1, tzinfo=UTC)


def directory_of(names: int) -> str:
    """Return the source directory with that many *names*."""
    return f"unchanged {names}"


class UnchangedStore(SimulatedStore):
    """A store that lists sources and their outputs, and has an output index; other objects are kept in a folder."""

    def __init__(self, folder: Path, names: int) -> None:
        """Have *names* sources; segments of indexes are written to *folder*, so that they take no memory."""
        super().__init__()
        self._folder = folder / "objects"
        self._folder.mkdir(exist_ok=True)
        self._names = names

    def prepare(self, image_format: ImageFormat) -> None:
        """Write the output index of a format."""
        directory = image_format.target_directory
        (spec,) = output_specs("", [image_format])
        made_of = fingerprints(spec)
        source = f"{keys.SOURCE}{image_format.source_directory}/"
        firsts = []
        for begin in range(0, self._names, _PAGE):
            names = [_name(number) for number in range(begin, min(begin + _PAGE, self._names))]
            firsts.append(names[0] if begin else "")
            segment = {name: [made_of(source + name, _ETAG), _ETAG, "earlier"] for name in names}
            self._file(keys.output_index_segment(directory, firsts[-1])).write_bytes(to_json(segment))
        self._file(keys.output_index_contents(directory)).write_bytes(to_json(firsts))

    async def list(self, prefix: str, *, after: str = "") -> AsyncIterator[list[StoredObject]]:
        """List the sources or outputs, in pages of a thousand."""
        begin = _number_after(after.removeprefix(prefix)) if after else 0
        for start in range(begin, self._names, _PAGE):
            end = min(start + _PAGE, self._names)
            yield [
                StoredObject(prefix + _name(number), len(ONE_PIXEL), _ETAG, _MODIFIED) for number in range(start, end)
            ]

    async def get(self, key: str, *, max_bytes: int | None = None) -> LoadedObject | None:  # noqa: ARG002
        """Read an object of the folder."""
        file = self._file(key)
        if not file.exists():
            return None
        data = file.read_bytes()
        return LoadedObject(StoredObject(key, len(data), _ETAG, _MODIFIED), Bytes(data))

    async def head(self, key: str) -> StoredObject | None:  # noqa: ARG002
        """Find nothing: nothing is looked up that is listed."""
        return None

    async def put(
        self,
        key: str,
        data: "Buffer",
        *,
        content_type: str,  # noqa: ARG002
        metadata: Mapping[str, str] | None = None,  # noqa: ARG002
    ) -> str:
        """Write an object of the folder."""
        self._file(key).write_bytes(data)
        return _ETAG

    def _file(self, key: str) -> Path:
        return self._folder / key.replace("/", "_")


def _name(number: int) -> str:
    return f"{number:09}.gif"


def _number_after(name: str) -> int:
    """Return the first number whose name is behind *name*, which may be one between two."""
    low, high = 0, 10**9
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if _name(middle) <= name else (low, middle)
    return low
