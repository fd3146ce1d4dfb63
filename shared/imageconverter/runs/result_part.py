"""The parts of a run's results in the store; the name of a part says what it contains."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final, NamedTuple, Self

from cachetools import LRUCache

from imageconverter import keys
from imageconverter.images.conversions import Status
from imageconverter.runs.run import Counts
from imageconverter.storage.store import ObjectStore

_LISTS_KEPT: Final = 8


class ResultPart(NamedTuple):
    """A part: the results of the sources from number `first` on, before number `end`."""

    key: str
    first: int
    end: int
    outputs: Counts | None
    """The outputs in it by status; None if its name does not say, because an earlier release has written it."""

    def may_have(self, status: Status | None) -> bool:
        """Whether there may be outputs with *status*, None for any."""
        return status is None or self.outputs is None or getattr(self.outputs, status) > 0

    @classmethod
    def of_key(cls, key: str) -> Self:
        """Return the part at *key*; `end` is `first` if its name does not say where it ends."""
        first, *counts = map(int, key.rpartition("/")[2].removesuffix(".ndjson").split("."))
        if len(counts) != 1 + len(Counts._fields):
            return cls(key, first, first, None)
        return cls(key, first, first + counts[0], Counts(*counts[1:]))


class ResultParts:
    """The lists of the parts of some runs: a list of a thousand takes the store as long as ten parts."""

    def __init__(self) -> None:
        """Keep the lists that were last used; they do not change."""
        self._lists: LRUCache[tuple[str, int], list[ResultPart]] = LRUCache(_LISTS_KEPT)

    async def list(self, run_id: str, store: ObjectStore, *, moved: int) -> list[ResultPart]:
        """Return the parts with the *moved* results of a run, in their order; raises StoreUnavailable."""
        if (kept := self._lists.get((run_id, moved))) is not None:
            return kept
        found = [ResultPart.of_key(part.key) async for page in store.list(keys.result_parts(run_id)) for part in page]
        parts = list(_current([part for part in found if part.first < moved], moved))
        self._lists[run_id, moved] = parts
        return parts

    def forget(self, run_id: str, *, moved: int) -> None:
        """List the parts again the next time: one does not exist any more."""
        self._lists.pop((run_id, moved), None)


def _current(parts: Sequence[ResultPart], moved: int) -> Iterator[ResultPart]:
    """Yield *parts* without those that were replaced by larger ones: a process that dies may leave one."""
    starts = sorted({part.first for part in parts})
    next_starts = dict(zip(starts, [*starts[1:], moved], strict=False))
    reached = 0
    for first, same in groupby(parts, key=lambda part: part.first):
        if first < reached:
            continue
        known = [part if part.outputs else part._replace(end=next_starts[first]) for part in same]
        current = max(known, key=lambda part: (part.end == moved or part.end in next_starts, part.end))
        reached = current.end
        yield current
