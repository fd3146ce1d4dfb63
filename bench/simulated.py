"""Substitutes for the object store and the engine, so that only the runs themselves are measured."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from obstore import Bytes

from imageconverter import keys
from imageconverter.engine import Converted, Target
from imageconverter.storage.calls import ChangeListener
from imageconverter.storage.store import LoadedObject, ObjectStore, StoredObject
from services.worker.sandbox.messages import Reply
from services.worker.sandbox.pool import SandboxPool

if TYPE_CHECKING:
    from typing_extensions import Buffer

# The smallest GIF: one pixel.
ONE_PIXEL = bytes.fromhex("47494638396101000100800000000000ffffff2c00000000010001000002024401003b")

_PAGE = 1000
_MODIFIED = datetime(2026, 1, 1, tzinfo=UTC)


def directory_of(sources: int) -> str:
    """Return the source directory in which a `SimulatedStore` lists *sources* images."""
    return f"simulated {sources}"


class SimulatedStore(ObjectStore):
    """A store without data: a source directory lists the number of images in its name, and writes are discarded.

    Keys are generated during the listing. There are never any outputs.
    """

    def __init__(self) -> None:
        """Open no connection."""

    def watch(self, listener: ChangeListener) -> None:
        """Change nothing that *listener* might remember."""

    async def list(self, prefix: str, *, after: str = "") -> AsyncIterator[list[StoredObject]]:
        """List the sources below *prefix*, in pages of a thousand like a real store."""
        word, _, count = prefix.removeprefix(keys.SOURCE).rstrip("/").partition(" ")
        last = int(count) if word == "simulated" and count.isdigit() else 0
        begin = int(after.removeprefix(prefix).partition(".")[0]) + 1 if after else 0
        for start in range(begin, last, _PAGE):
            await asyncio.sleep(0)
            yield [_source(f"{prefix}{number:09}.gif") for number in range(start, min(start + _PAGE, last))]

    async def get(self, key: str, *, max_bytes: int | None = None) -> LoadedObject | None:  # noqa: ARG002
        """Return one pixel for a source."""
        return LoadedObject(_source(key), Bytes(ONE_PIXEL)) if key.startswith(keys.SOURCE) else None

    async def head(self, key: str) -> StoredObject | None:
        """Find sources and no outputs."""
        return _source(key) if key.startswith(keys.SOURCE) else None

    async def put(
        self,
        key: str,  # noqa: ARG002
        data: "Buffer",  # noqa: ARG002
        *,
        content_type: str,  # noqa: ARG002
        metadata: Mapping[str, str] | None = None,  # noqa: ARG002
    ) -> str:
        """Discard the data."""
        return '"discarded"'

    async def create(
        self,
        key: str,  # noqa: ARG002
        data: "Buffer",  # noqa: ARG002
        *,
        content_type: str,  # noqa: ARG002
        metadata: Mapping[str, str] | None = None,  # noqa: ARG002
    ) -> str | None:
        """Discard the data."""
        return '"discarded"'

    async def delete(self, keys: Iterable[str]) -> None:
        """Delete nothing."""


class NoEngine(SandboxPool):
    """A sandbox that returns one pixel for each target after *seconds* and ignores the source."""

    def __init__(self, *, seconds: float = 0) -> None:
        """Start no process."""
        self._seconds = seconds

    async def convert_with_metadata(
        self,
        source: "Buffer",  # noqa: ARG002
        targets: Sequence[Target],
        *,
        interactive: bool,  # noqa: ARG002
        metadata: bool,  # noqa: ARG002
        facts: bool = False,  # noqa: ARG002
        owner: str = "",  # noqa: ARG002
        expensive: bool = False,  # noqa: ARG002
        may_move: bool = False,  # noqa: ARG002
        watermarks: Mapping[str, "Buffer"] | None = None,  # noqa: ARG002
    ) -> Reply:
        """Return one pixel for each of the *targets*."""
        if self._seconds:
            await asyncio.sleep(self._seconds)
        return Reply([Converted(ONE_PIXEL, "gif", (1, 1), 0.0, "") for _ in targets], {})


def _source(key: str) -> StoredObject:
    return StoredObject(key, len(ONE_PIXEL), '"one pixel"', _MODIFIED)
