"""The preview cache of a gateway: groups of previews by key, each preview converted once, on demand."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from imageconverter import keys
from imageconverter.engine import OUTPUT_TYPES, Target
from imageconverter.errors import (
    ConversionFailed,
    InvalidFileFormat,
    NotFound,
    PreviewsFull,
    QueueFull,
    SourceMissing,
    StoreUnavailable,
    Unavailable,
)
from imageconverter.jobs import Client, JobQueue, QueueName
from imageconverter.previews.eviction import abandon_write, sweep
from imageconverter.previews.exact_format import ExactFormat
from imageconverter.previews.index import Group, Preview, PreviewIndex, Totals
from imageconverter.previews.job import TASK, PreviewJob, PreviewOutcome, generation_of, generation_of_stored
from imageconverter.previews.matching import choose
from imageconverter.previews.memory_cache import MemoryCache, RequestedFormat, ServedPreview
from imageconverter.previews.preview_format import parse_list
from imageconverter.previews.reindex import GroupFile
from imageconverter.settings import MEGABYTE, PreviewSettings
from imageconverter.storage.store import ObjectStore, StoredObject

_SWEEP_SECONDS = 5
_FULL_SHARE = 1.1  # of the limit of bytes, down from which the reporter evicts
_ATTEMPTS = 3  # a key may be cleared or replaced while its image is converted
_FULL = "The previews take up more space than allowed; some are about to be deleted."
_UNKNOWN = Client()
_EXTENSIONS = {kind.media_type: kind.extensions[0] for kind in OUTPUT_TYPES.values()}


class PreviewCache:
    """Groups of previews by key. Every method raises StoreUnavailable and QueueUnavailable.

    If an image is converted, that is done for a *client*.
    """

    def __init__(self, store: ObjectStore, index: PreviewIndex, queue: JobQueue, settings: PreviewSettings) -> None:
        """Serve the *settings*' target formats."""
        self._store = store
        self._index = index
        self._queue = queue
        self._settings = settings
        self._memory = MemoryCache(max_bytes=settings.hot_mb * MEGABYTE, seconds=settings.hot_seconds)
        limit = settings.max_bytes
        self._has_space_until = 0.0
        self._max_bytes = None if limit is None else int(limit * _FULL_SHARE)
        self.target_formats = parse_list(settings.target_formats)

    async def get(
        self,
        key: str,
        requested: RequestedFormat,
        *,
        context: str = "",
        client: Client = _UNKNOWN,
        source: StoredObject | None = None,
    ) -> ServedPreview:
        """Return the preview that matches *requested* best; it is converted from the stored source if necessary.

        The group of *key* may be without a source: then *source* is it, an object that others may replace.

        Raises NotFound if the key is unknown or the source is another one, InvalidFileFormat if the image cannot be
        converted, QueueFull, PreviewsFull and ConversionFailed if it cannot be converted now.
        """
        cached = self._memory.get_fresh(key, requested, context)
        if cached is not None:
            return cached
        group = await self._find(key, context)
        if group is not None:
            return await self._serve(group, requested, context, client, source=source)
        self._memory.invalidate(key)
        if source is None:
            raise NotFound("There is no image of that key.")
        return await self._make_and_serve(key, requested, source, client)

    async def cache_and_get(
        self, key: str, requested: RequestedFormat, source: bytes, *, context: str = "", client: Client = _UNKNOWN
    ) -> ServedPreview:
        """Return the preview that matches best; if the key is unknown, its group is created from *source*.

        Raises the same as `get`.
        """
        cached = self._memory.get_fresh(key, requested, context)
        if cached is not None:
            return cached
        group = await self._find(key, context)
        if group is not None:
            with suppress(SourceMissing):  # the client has sent it
                return await self._serve(group, requested, context, client)
        wanted = self._choose(requested)
        job = self._first_job(key, generation_of(source), [wanted], context, client)
        outcome, queued = await self._make_group(job, source, client)
        group = _made_group(job, outcome) or await self._index.find(key, context=context)
        if group is None:
            raise NotFound("The image was removed while it was converted.")
        return await self._serve(group, requested, context, client, queued=queued)

    async def cache(self, key: str, source: bytes, *, context: str = "", client: Client = _UNKNOWN) -> None:
        """Create or replace the key's group from *source*; readers see the old group until the new one is ready.

        Raises the same as `get`, except NotFound.
        """
        job = self._first_job(key, generation_of(source), self.target_formats[:1], context, client)
        await self._make_group(job, source, client)
        self._memory.invalidate(key)

    async def metadata(self, key: str) -> dict[str, Any]:
        """Return the metadata of the key's source; raises NotFound if the key is unknown."""
        group = await self._index.find(key)
        loaded = None if group is None else await self._store.get(keys.preview_metadata(key, group.generation))
        if loaded is None:
            raise NotFound("There is no image of that key.")
        metadata: dict[str, Any] = json.loads(bytes(loaded.data))
        return metadata

    async def clear_key(self, key: str) -> bool:
        """Remove the key's group; returns whether it existed."""
        self._memory.invalidate(key)
        removed = await self._index.remove(key) is not None
        await sweep(self._index, self._store, seconds=_SWEEP_SECONDS)
        return removed

    async def clear(self, *, context: str = "") -> int:
        """Remove all groups, or those of *context*; returns their number.

        The objects can no longer be requested; those not deleted within a few seconds are left to the reporter.
        """
        removed = 0
        async for batch in self._index.keys(context):
            gone = await asyncio.gather(*(self._index.remove(key) for key in batch))
            removed += sum(group is not None for group in gone)
        self._memory.invalidate()
        await sweep(self._index, self._store, seconds=_SWEEP_SECONDS)
        return removed

    async def count(self, context: str = "") -> int:
        """Return the number of keys, or of those of *context*."""
        return await self._index.count(context)

    def keys(self, context: str = "") -> AsyncIterator[list[str]]:
        """Yield all keys, or those of *context*, in batches."""
        return self._index.keys(context)

    async def totals(self) -> Totals:
        """Return the totals of all groups."""
        return await self._index.totals()

    async def _make_and_serve(
        self, key: str, requested: RequestedFormat, source: StoredObject, client: Client
    ) -> ServedPreview:
        """Create the group of *key* without storing *source* a second time."""
        await self._mark_pending_write(key)
        wanted = self._choose(requested)
        first = self._first_job(key, generation_of_stored(source), [wanted], "", client)
        job = first.model_copy(update={"source_key": source.key, "source_etag": source.etag})
        outcome, queued = await self._run_first(job, client)
        group = _made_group(job, outcome) or await self._index.find(key)
        if group is None:
            raise NotFound("There is no image of that key.")
        return await self._serve(group, requested, "", client, queued=queued, source=source)

    def _choose(self, requested: RequestedFormat) -> RequestedFormat:
        if isinstance(requested, ExactFormat):
            return requested
        return choose(requested, self.target_formats, self._settings.matching)

    async def _find(self, key: str, context: str) -> Group | None:
        group = await self._index.find(key, context=context)
        if group is not None and group.context_added:  # for rebuilding the index
            file = GroupFile(key=key, generation=group.generation, contexts=group.contexts, created=group.created)
            await self._store.put(
                keys.preview_group(key), file.model_dump_json().encode(), content_type="application/json"
            )
        return group

    def _first_job(
        self, key: str, generation: str, formats: Sequence[RequestedFormat], context: str, client: Client
    ) -> PreviewJob:
        """Return the job that creates the group of *key*, or replaces its generation."""
        targets = _targets(formats)
        rest = self.target_formats if self._settings.pre_convert and not targets else ()
        return PreviewJob(
            key=key,
            generation=generation,
            formats=tuple(each.documented for each in formats),
            targets=targets,
            context=context,
            is_new=True,
            then=tuple(each.documented for each in rest if each not in formats),
            owner=client.owner,
            waited=True,
        )

    async def _make_group(self, job: PreviewJob, source: bytes, client: Client) -> tuple[PreviewOutcome, float]:
        """Store *source* and run its first *job*; returns the outcome and the seconds that it waited for a worker."""
        for _ in range(_ATTEMPTS):
            await self._mark_pending_write(job.key)
            name = keys.preview_source(job.key, job.generation)
            await self._store.put(name, source, content_type="application/octet-stream")
            outcome, queued = await self._run_first(job, client)
            if outcome.state == "made":
                return outcome, queued
        raise ConversionFailed("The image was removed repeatedly while it was converted.")

    async def _mark_pending_write(self, key: str) -> None:
        if not await self._index.mark_pending_write(key, max_bytes=self._max_bytes):
            raise PreviewsFull(_FULL)

    async def _run_first(self, job: PreviewJob, client: Client) -> tuple[PreviewOutcome, float]:
        """Run the first *job* of a generation, of which nothing is left if it is refused."""
        try:
            return await self._run_single_flight(job, client)
        except (InvalidFileFormat, QueueFull):
            with suppress(Unavailable):  # what is refused takes up no space; the reporter will delete it
                await abandon_write(self._index, self._store, job.key)
            raise

    async def _serve(
        self,
        group: Group,
        requested: RequestedFormat,
        context: str,
        client: Client,
        *,
        queued: float | None = None,
        source: StoredObject | None = None,
    ) -> ServedPreview:
        """Return the best match of *group*, or of the group that replaces it meanwhile."""
        wanted = self._choose(requested)
        for _ in range(_ATTEMPTS):
            preview = group.previews.get(wanted.documented)
            is_source_missing = False
            if preview is None:
                await self._require_space()
                outcome, queued = await self._run_single_flight(
                    PreviewJob(
                        key=group.key,
                        generation=group.generation,
                        formats=(wanted.documented,),
                        targets=_targets([wanted]),
                        source_key=source.key if source else "",
                        source_etag=source.etag if source else "",
                        owner=client.owner,
                        waited=True,
                    ),
                    client,
                )
                if outcome.previews:
                    group = replace(group, previews={**group.previews, **outcome.previews})
                    continue
                is_source_missing = outcome.state == "gone"
            else:
                served = self._memory.get_by_etag(group.key, requested, context, preview.etag)
                served = served or await self._load(group, wanted, preview)
                if served is not None:
                    self._memory.put(group.key, requested, context, served)
                    return replace(served, from_cache=queued is None, queued_seconds=queued)
                # The store says that the object is missing. It may be wrong, so nothing is deleted: it is made again.
                await self._index.forget(group.key, group.generation, wanted.documented, preview)
            renewed = await self._index.find(group.key)
            if renewed is None:
                break
            if is_source_missing and renewed.generation == group.generation:
                raise SourceMissing("There is no image of that key.")
            group = renewed
        raise NotFound("The image was removed during the request.")

    async def _require_space(self) -> None:
        """Raise PreviewsFull if the previews have grown faster than they are evicted; adding some needs no key."""
        limit, now = self._max_bytes, time.monotonic()
        if limit is None or now < self._has_space_until:
            return
        if (await self._index.totals()).bytes > limit:
            raise PreviewsFull(_FULL)
        self._has_space_until = now + self._settings.hot_seconds

    async def _load(self, group: Group, wanted: RequestedFormat, preview: Preview) -> ServedPreview | None:
        extension = _EXTENSIONS[preview.media_type]
        name = keys.preview_object(group.key, group.generation, wanted.documented, extension)
        loaded = await self._store.get(name)
        if loaded is None:
            return None
        return ServedPreview(bytes(loaded.data), preview.media_type, preview.etag, from_cache=True, format=wanted)

    async def _run_single_flight(self, job: PreviewJob, client: Client) -> tuple[PreviewOutcome, float]:
        """Run *job*, or join the identical one; returns its outcome and the seconds that it waited for a worker."""
        settings, began = self._settings, time.monotonic()
        job_id = await self._queue.enqueue_or_join(
            QueueName.INTERACTIVE,
            TASK,
            job.dedup_key,
            job.model_dump(exclude_defaults=True),
            limit=settings.instant_queue,
            waited=True,
        )
        outcome = PreviewOutcome.model_validate(
            await self._queue.wait(job_id, seconds=settings.convert_seconds, has_left=client.has_left)
        )
        if outcome.state == "refused":
            raise InvalidFileFormat(outcome.reason)
        if outcome.state == "unavailable":
            raise StoreUnavailable(outcome.reason)
        return outcome, max(0.0, time.monotonic() - began - outcome.seconds)


def _targets(formats: Iterable[RequestedFormat]) -> tuple[Target, ...]:
    return tuple(each.target for each in formats if isinstance(each, ExactFormat))


def _made_group(job: PreviewJob, outcome: PreviewOutcome) -> Group | None:
    """Return the group that *job* has made, so that it need not be looked up.

    None if the outcome does not show it, as those of earlier releases, or if the look-up has to record the context,
    because the job is one of another.
    """
    if not outcome.previews or outcome.context != job.context:
        return None
    return Group(job.key, job.generation, created=0, contexts=frozenset(), bytes=0, previews=outcome.previews)
