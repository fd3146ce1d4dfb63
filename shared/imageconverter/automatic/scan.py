"""The scan: finds sources whose outputs are missing or not up to date, also those of other programs.

In directories of formats whose outputs follow their sources, it also finds outputs whose sources are gone.
"""

import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

from imageconverter import keys
from imageconverter.automatic.automatic_formats import AutomaticFormats
from imageconverter.automatic.follower import Follower
from imageconverter.automatic.orphans import Orphan
from imageconverter.automatic.outdated import outdated
from imageconverter.automatic.pending_sources import MAX_PENDING, PendingSources
from imageconverter.automatic.scan_store import SOURCES, SUBMITTED, UNLISTED, ScanStore, listed_of
from imageconverter.automatic.trashing import decide, move_orphans
from imageconverter.images import directories
from imageconverter.storage.store import ObjectStore, StoredObject

_ROOM: Final = 1000  # of pending sources for those of a page


async def scan_more(
    scans: ScanStore,
    pending: PendingSources,
    formats: AutomaticFormats,
    store: ObjectStore,
    *,
    cursor: str,
    seconds: float,
    max_share: float,
) -> int:
    """Submit the sources from *cursor* on that are not up to date, until *seconds* have passed or all are listed.

    It also stops when many sources are pending, to be called again. Each page is listed once: the cursor moves behind
    it when its sources are submitted. At the end, outputs whose sources are gone are moved to the trash if their
    format says so, and if they are at most the share *max_share* of its outputs. Returns the number of sources
    submitted. Raises QueueUnavailable, StoreUnavailable.
    """
    until = time.monotonic() + seconds
    record, orphans = await scans.record(), await scans.orphans()
    first, after = json.loads(cursor) if cursor else ("", "")
    submitted = 0

    def follower(directory: str) -> Follower | None:
        if not formats.follows(directory):
            return None
        return Follower(directory, scans, formats, store, orphans, record=record)

    for directory in formats.directories:
        if directory < first:
            continue
        start = after if directory == first else ""
        steps = _steps(directory, start, scans, pending, formats, store, follower(directory), scan=record.started)
        async for step in steps:
            submitted += step
            if time.monotonic() > until or (await pending.state()).waiting > MAX_PENDING - _ROOM:
                return submitted
    await _end(scans, formats, store, orphans, max_share, scan=record.started)
    return submitted


async def _steps(
    directory: str,
    after: str,
    scans: ScanStore,
    pending: PendingSources,
    formats: AutomaticFormats,
    store: ObjectStore,
    follower: Follower | None,
    *,
    scan: str,
) -> AsyncIterator[int]:
    """Scan a directory from the key *after* on; yields the number of sources submitted by each step."""
    async for page in directories.files(store, "source", directory, after=after):
        submitted = 0
        if page:
            new = await follower.new_sources(after, page) if follower else set()
            found = await outdated(page, formats, store)
            submitted = await pending.submit(
                (path, "" if keys.source(path) in new else version) for path, version in found.items()
            )
            after = page[-1].key
            await scans.advance(json.dumps([directory, after]), _counts(page, formats, submitted), scan=scan)
        yield submitted
    if follower:
        async for last in follower.rest(after):
            await scans.advance(json.dumps([directory, last]), {}, scan=scan)
            yield 0


async def _end(
    scans: ScanStore,
    formats: AutomaticFormats,
    store: ObjectStore,
    orphans: Mapping[str, Orphan],
    max_share: float,
    *,
    scan: str,
) -> None:
    """End the *scan*: *orphans* that it has not found are none any more, and others are moved to the trash.

    If too many sources are gone, those that it has found first are not recorded: the next scan counts them again.
    Nothing is done if it has ended.
    """
    record = await scans.record()
    if record.started != scan or record.ended:
        return
    found = [each for each in orphans.values() if each.seen == record.started]
    is_over = record.has_too_many_unlisted(record.counts.get(UNLISTED, 0))
    kept = {each.path for each in found if not (is_over and each.since == record.started)}
    await scans.delete_orphans([path for path in orphans if path not in kept])
    decision = decide(found, formats, record, max_share=max_share)
    trash, moved = await move_orphans(decision, found, formats, store, scan=scan)
    await scans.delete_orphans([each.path for each in moved])
    await scans.end(scan=scan, refusals=decision.refusals, trash=trash, moved=len(moved))


def _counts(page: Sequence[StoredObject], formats: AutomaticFormats, submitted: int) -> Mapping[str, int]:
    counts = Counter({SOURCES: len(page), SUBMITTED: submitted})
    for group, paths in formats.groups(each.key.removeprefix(keys.SOURCE) for each in page).items():
        counts.update({listed_of(each): len(paths) for each in group if each.follow != "off"})
    return counts
