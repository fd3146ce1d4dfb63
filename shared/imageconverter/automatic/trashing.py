"""Moving orphaned outputs to the trash, within bounds: a mistake among the sources must not delete all outputs."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final, NamedTuple

import structlog

from imageconverter import audit, keys
from imageconverter.automatic import scan_store
from imageconverter.automatic.automatic_formats import AutomaticFormats
from imageconverter.automatic.known_sources import KnownSources
from imageconverter.automatic.orphans import Orphan
from imageconverter.automatic.scan_store import UNLISTED, Refusal, ScanRecord, listed_of
from imageconverter.images.image_formats import ImageFormat, ImageType
from imageconverter.reports.trash import TrashBatch, begin_batch, discard_batch, finish_batch, move_to_trash
from imageconverter.storage.bounded import bounded
from imageconverter.storage.store import ObjectStore, StoredObject

MAX_MOVED: Final = 1000
"""More wait for the next scan."""
_ALWAYS: Final = 10  # of few outputs a share is less than one
_BATCH: Final = 64  # small, so that little time passes between checking an output and moving it

_log = structlog.get_logger(__name__)


class Decision(NamedTuple):
    """What is to be done with the orphans of a scan."""

    movable: Mapping[ImageType, Sequence[Orphan]]
    refusals: Sequence[Refusal]


def decide(orphans: Sequence[Orphan], formats: AutomaticFormats, record: ScanRecord, *, max_share: float) -> Decision:
    """Decide which of the *orphans* that the scan has found are moved to the trash, up to `MAX_MOVED`.

    Those that an earlier scan has found too, unless there are too many of their format. *max_share* is the share of
    its outputs that may be moved; the scan may allow more.
    """
    movable: dict[ImageType, list[Orphan]] = {}
    refusals = []
    room = MAX_MOVED
    for each in formats.all:
        own = [orphan for orphan in orphans if orphan.is_of(each)]
        if each.follow != "trash" or not own:
            continue
        if reason := _reason_to_refuse(each, len(own), record, max(max_share, record.share)):
            refusals.append(Refusal(format=each.node_id, reason=reason))
            _log.warning("orphans not moved", format=each.id, orphans=len(own), reason=reason)
            continue
        found = [orphan for orphan in own if orphan.since != record.started][:room]
        room -= len(found)
        movable.setdefault(each.type, []).extend(found)
    return Decision(movable, refusals)


def _reason_to_refuse(each: ImageFormat, orphans: int, record: ScanRecord, share: float) -> str:
    if record.has_too_many_unlisted(record.counts.get(UNLISTED, 0)):
        return f"More than {scan_store.MAX_UNLISTED} sources are not there any more."
    listed = record.counts.get(listed_of(each), 0)
    if not listed and share < 1:
        return f"The directory {each.source_directory} has no sources any more."
    if orphans > max(_ALWAYS, share * (listed + orphans)):
        of_all = f"{orphans} of {listed + orphans} images"
        return f"{of_all} have no source any more, which is more than the allowed {share * 100:g} %."
    return ""


async def move_orphans(
    decision: Decision, orphans: Sequence[Orphan], formats: AutomaticFormats, store: ObjectStore, *, scan: str
) -> tuple[list[str], list[Orphan]]:
    """Move those of *orphans* that are decided on to the trash; returns the trash batches, and what was moved.

    An output stays if it was replaced meanwhile, or if its source is back. Running it again after an interruption
    continues with the same batches. Raises StoreUnavailable.
    """
    batches: list[str] = []
    moved: list[Orphan] = []
    for kind, movable in decision.movable.items():
        if movable:
            batch_id = f"{datetime.fromisoformat(scan):%Y%m%dT%H%M%S%f}-follow-{kind}"
            moved += await _move_batch(batch_id, kind, movable, store)
            batches += await _finish(batch_id, kind, store)
    paths = {each.path for each in moved}
    left = {each.source for each in orphans if each.path not in paths}
    await _forget({each.source for each in moved} - left, formats, store)
    return batches, moved


async def _move_batch(batch_id: str, kind: ImageType, orphans: Sequence[Orphan], store: ObjectStore) -> list[Orphan]:
    size, now = sum(each.bytes for each in orphans), await store.now()
    batch = TrashBatch(id=batch_id, kind=kind, at=now, report=0, files=len(orphans), bytes=size, done=False)
    await begin_batch(store, batch)
    moved: list[Orphan] = []
    for begin in range(0, len(orphans), _BATCH):
        some = orphans[begin : begin + _BATCH]
        sources = await bounded(partial(store.head, keys.source(each.source)) for each in some)
        gone = [each for each, source in zip(some, sources, strict=True) if source is None]
        await move_to_trash(store, batch_id, [each.path for each in gone], unchanged=partial(_is_unchanged, gone))
        outputs = await bounded(partial(store.head, keys.target(each.path)) for each in gone)
        moved += [each for each, output in zip(gone, outputs, strict=True) if output is None]
    return moved


async def _finish(batch_id: str, kind: ImageType, store: ObjectStore) -> list[str]:
    finished = await finish_batch(store, batch_id)
    if not finished.files:
        await discard_batch(store, batch_id)
        return []
    audit.record("follow", actor="task automatic", type=kind, trash=batch_id, files=finished.files)
    return [batch_id]


async def _forget(sources: Collection[str], formats: AutomaticFormats, store: ObjectStore) -> None:
    """Forget *sources* of which nothing is left, so that what is restored from the trash stays."""
    for directory in formats.directories:
        below = [keys.source(each) for each in sources if each.startswith(f"{directory}/")]
        await KnownSources(store, directory).discard(below)


def _is_unchanged(orphans: Sequence[Orphan], number: int, stored: StoredObject) -> bool:
    return orphans[number].is_made_of_source(stored)
