"""The scan: finds sources whose outputs are missing or not up to date, also those of other programs."""

import json
import time
from typing import Final

from imageconverter.automatic.automatic_formats import AutomaticFormats
from imageconverter.automatic.outdated import outdated
from imageconverter.automatic.pending_sources import MAX_PENDING, PendingSources
from imageconverter.images import directories
from imageconverter.storage.store import ObjectStore

_ROOM: Final = 1000  # of pending sources for those of a page


async def scan_more(
    pending: PendingSources, formats: AutomaticFormats, store: ObjectStore, *, cursor: str, seconds: float
) -> int:
    """Submit the sources from *cursor* on that are not up to date, until *seconds* have passed or all are listed.

    It also stops when many sources are pending, to be called again. Each page is listed once: the cursor moves behind
    it when its sources are submitted. Returns the number of sources submitted. Raises QueueUnavailable,
    StoreUnavailable.
    """
    until = time.monotonic() + seconds
    first, after = json.loads(cursor) if cursor else ("", "")
    submitted = 0
    for directory in formats.directories:
        if directory < first:
            continue
        async for page in directories.files(store, "source", directory, after=after if directory == first else ""):
            found = await outdated(page, formats, store)
            submitted += await pending.submit(found.items())
            if page:
                await pending.move_cursor(json.dumps([directory, page[-1].key]))
            if time.monotonic() > until or (await pending.state()).waiting > MAX_PENDING - _ROOM:
                return submitted
    await pending.move_cursor(None)
    return submitted
