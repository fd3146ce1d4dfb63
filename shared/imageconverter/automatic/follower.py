"""What a scan does with a followed directory: it finds new sources, and the outputs of those that are gone."""

from collections.abc import AsyncIterator, Sequence
from functools import partial

import structlog

from imageconverter import keys
from imageconverter.automatic.automatic_formats import AutomaticFormats
from imageconverter.automatic.known_sources import KnownSources
from imageconverter.automatic.orphans import Orphan, find_orphans
from imageconverter.automatic.scan_store import UNLISTED, ScanRecord, ScanStore
from imageconverter.images.conversions import output_specs
from imageconverter.storage.bounded import bounded
from imageconverter.storage.store import ObjectStore, StoredObject

_log = structlog.get_logger(__name__)


class Follower:
    """Compares what is listed with what is known. All methods raise QueueUnavailable and StoreUnavailable."""

    def __init__(
        self,
        directory: str,
        scans: ScanStore,
        formats: AutomaticFormats,
        store: ObjectStore,
        orphans: dict[str, Orphan],
        *,
        record: ScanRecord,
    ) -> None:
        """Use what was found so far: the *record* of the scan, and *orphans*, which is kept up to date."""
        self._directory = directory
        self._known = KnownSources(store, directory)
        self._scans = scans
        self._formats = formats
        self._store = store
        self._orphans = orphans
        self._record = record
        self._sources = {keys.source(each.source) for each in orphans.values()}

    async def new_sources(self, after: str, page: Sequence[StoredObject]) -> set[str]:
        """Return the keys of those sources of a *page*, listed behind *after*, that are to be converted in any case.

        They are new, or their output is an orphan of another source. The known sources in between that are not listed
        are gone.
        """
        listed = [each.key for each in page]
        if not await self._known.is_ordered(after, listed):
            _log.warning("listing without order", directory=self._directory, after=after)
            return set()
        before = dict.fromkeys(await self._known.between(after, listed[-1]))
        kept = await self._keep([*(before.keys() - set(listed))])
        await self._known.replace(after, listed[-1], [*listed, *kept])
        return {each for each in listed if each not in before} | await self._claim(listed)

    async def rest(self, after: str) -> AsyncIterator[str]:
        """Look at the known sources behind *after*, where nothing was listed; yields the last key of each step."""
        while known := await self._known.next_after(after):
            await self._known.replace(after, known[-1], await self._keep(known))
            after = known[-1]
            yield after

    async def _keep(self, unlisted: Sequence[str]) -> list[str]:
        """Find the orphans of known sources that were not listed; returns those that are to stay known."""
        if not unlisted:
            return []
        new = [key for key in unlisted if key not in self._sources]
        total = await self._scans.count(UNLISTED, len(new))
        skipped = new if self._record.has_too_many_unlisted(total) else []
        looked_up = list(set(unlisted).difference(skipped))
        heads = await bounded(partial(self._store.head, key) for key in looked_up)
        gone = [key.removeprefix(keys.SOURCE) for key, head in zip(looked_up, heads, strict=True) if head is None]
        scan = self._record.started
        found = [self._seen(each) for each in await find_orphans(gone, self._formats, self._store, scan=scan)]
        await self._scans.put_orphans(found)
        self._orphans.update((each.path, each) for each in found)
        there = [key for key, head in zip(looked_up, heads, strict=True) if head is not None]
        return [*skipped, *there, *{keys.source(each.source) for each in found}]

    def _seen(self, orphan: Orphan) -> Orphan:
        """Return an orphan with the scan that has found it first."""
        before = self._orphans.get(orphan.path)
        is_same = before is not None and (before.source, before.etag) == (orphan.source, orphan.etag)
        return orphan.model_copy(update={"since": before.since}) if before and is_same else orphan

    async def _claim(self, listed: Sequence[str]) -> set[str]:
        """Return those of the *listed* sources whose outputs are orphans of others, which these are not any more."""
        if not self._orphans:
            return set()
        stems = {path.rpartition("/")[2].rpartition(".")[0] for path in self._orphans}
        claimed: dict[str, str] = {}
        for key in listed:
            name = key.rpartition("/")[2]
            if stems.isdisjoint((name, name.rpartition(".")[0])):
                continue
            formats = self._formats.followed(key.removeprefix(keys.SOURCE))
            paths = (path for spec in output_specs(key, formats) for path in spec.possible_paths)
            claimed |= {path: key for path in paths if path in self._orphans}
        for path in claimed:
            del self._orphans[path]
        await self._scans.delete_orphans(list(claimed))
        return set(claimed.values())
