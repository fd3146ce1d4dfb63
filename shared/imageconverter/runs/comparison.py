"""The comparison of two runs: which sources failed in one and not in the other. A reporter makes it."""

from typing import Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from imageconverter import keys
from imageconverter.errors import InvalidValue, NotFound
from imageconverter.images.conversions import Status
from imageconverter.runs.store import RunStore
from imageconverter.runs.summary import find_status
from imageconverter.storage.store import ObjectStore

Difference = Literal["failed", "fixed", "new", "gone"]
"""Failed and did not before; failed before and does not any more; only in this run; only in the run before."""

ROWS_IN_PART: Final = 1000


class ComparedSource(BaseModel):
    """A source with different outcomes."""

    model_config = ConfigDict(frozen=True)

    source: str
    """Path in the source tree."""
    before: Status | None = None
    """The worst status of its outputs in the run before, None if it was not in it."""
    after: Status | None = None
    message: str = ""
    """The error, in the run that has one."""


class RunComparison(BaseModel):
    """The numbers of a comparison."""

    model_config = ConfigDict(frozen=True)

    run: str
    base: str
    """The run before."""
    same: int
    """Sources that failed in both runs, or in neither."""
    failed: int
    fixed: int
    new: int
    gone: int


class ComparedPage(NamedTuple):
    """A page of compared sources, in the order of their paths."""

    sources: list[ComparedSource]
    next_cursor: int | None
    """Start of the next page, None at the end."""


async def check_comparable(run_id: str, base_id: str, run_store: RunStore, store: ObjectStore) -> None:
    """Raise NotFound if one of the runs does not exist, InvalidValue if it has not ended or they are the same."""
    if run_id == base_id:
        raise InvalidValue("A run cannot be compared with itself.", field="base")
    for field, each in (("run", run_id), ("base", base_id)):
        status = await find_status(each, run_store, store)
        if status is None:
            raise NotFound("There is no such run.", field=field)
        if status.is_running:
            raise InvalidValue("The run has not ended yet.", field=field)


async def get_comparison(store: ObjectStore, run_id: str, base_id: str) -> RunComparison | None:
    """Return a comparison, None if it was not made yet."""
    loaded = await store.get(keys.comparison(run_id, base_id))
    return None if loaded is None else RunComparison.model_validate_json(bytes(loaded.data))


async def read_compared(
    store: ObjectStore, comparison: RunComparison, difference: Difference, *, start: int, limit: int
) -> ComparedPage:
    """Return up to *limit* sources with a *difference* from number *start* on. Raises StoreUnavailable."""
    total: int = getattr(comparison, difference)
    end = min(total, start + limit)
    found: list[ComparedSource] = []
    for part in range(start // ROWS_IN_PART, -(-end // ROWS_IN_PART)):
        loaded = await store.get(keys.comparison_part(comparison.run, comparison.base, difference, part))
        lines = bytes(loaded.data).splitlines() if loaded else []
        first = part * ROWS_IN_PART
        found += map(ComparedSource.model_validate_json, lines[max(0, start - first) : end - first])
    return ComparedPage(found, end if end < total else None)
