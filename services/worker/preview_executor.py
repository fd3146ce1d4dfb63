"""Preview jobs: fetch the source, make its previews in the sandbox, store and index them."""

import asyncio
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from cachetools import LRUCache

from imageconverter import keys
from imageconverter.engine import OUTPUT_TYPES, Converted, Failed
from imageconverter.errors import ImageError, QueueFull, StoreUnavailable, Unavailable
from imageconverter.jobs import JobContext, JobQueue, MovedJob, QueueName
from imageconverter.monitoring.counts import ConversionCount, Counts, Outcome
from imageconverter.previews import ExactFormat, parse, to_target
from imageconverter.previews.index import Group, Preview, PreviewIndex
from imageconverter.previews.job import TASK, PreviewJob, PreviewOutcome
from imageconverter.previews.reindex import GroupFile, extents
from imageconverter.settings import MEGABYTE, PreviewSettings
from imageconverter.storage.store import LoadedObject, ObjectStore
from services.worker.client_jobs import ClientJobs
from services.worker.sandbox.pool import SandboxPool
from services.worker.watermarks import Watermarks

_log = structlog.get_logger(__name__)

_MAX_KEPT_BYTES: Final = 16 * MEGABYTE
_GONE = PreviewOutcome(state="gone", reason="The image is not there any more.")
_OUTCOMES: Final[Mapping[str, Outcome]] = {
    "made": "success",
    "gone": "skipped",
    "refused": "error",
    "unavailable": "unavailable",
}


@dataclass(frozen=True)
class PreviewExecutor:
    """Runs preview jobs."""

    store: ObjectStore
    index: PreviewIndex
    queue: JobQueue
    sandbox: SandboxPool
    settings: PreviewSettings
    max_source_bytes: int
    counts: Counts = field(default_factory=Counts)
    _kept: LRUCache[tuple[str, str], LoadedObject] = field(
        default_factory=lambda: LRUCache(_MAX_KEPT_BYTES, getsizeof=lambda loaded: loaded.stored.size)
    )
    """The last sources that are not those of groups, by key and ETag: pages ask for several sizes of an image."""

    async def make(self, clients: ClientJobs, context: JobContext, payload: Any) -> None:
        """Make previews and reply to all waiting clients, also if a store is unavailable: they decide on a retry.

        An image that is expensive raises MovedJob unless that is known.
        """
        job = PreviewJob.model_validate(payload)
        began = time.perf_counter()
        of = ConversionCount("preview", clients.queue_name)
        try:
            making = self._make(job, of)
            outcome = await clients.run(context, making, waited=job.waited)
        except MovedJob:
            raise
        except ImageError as error:
            outcome = PreviewOutcome(state="refused", reason=error.reason)
        except Unavailable as error:
            outcome = PreviewOutcome(state="unavailable", reason=error.reason)
        except Exception:  # noqa: BLE001 - the clients must get a reply in any case
            _log.exception("internal error", job=context["job_id"])
            outcome = PreviewOutcome(state="unavailable", reason="Internal server error.")
        outcome = outcome.model_copy(update={"seconds": time.perf_counter() - began})
        self.counts.conversion(of, _OUTCOMES[outcome.state], seconds=outcome.seconds)
        await self.queue.publish_result(job.dedup_key, context["job_id"], outcome.model_dump())
        if outcome.state == "made" and job.then:
            await self._make_afterwards(job)

    async def give_up(self, context: JobContext, payload: Any) -> None:
        """Reply to all waiting clients that the image has killed too many workers."""
        job = PreviewJob.model_validate(payload)
        outcome = PreviewOutcome(state="refused", reason="The conversion failed too often.")
        await self.queue.publish_result(job.dedup_key, context["job_id"], outcome.model_dump())

    async def _make(self, job: PreviewJob, of: ConversionCount) -> PreviewOutcome:
        began, expensive = time.perf_counter(), of.queue is QueueName.EXPENSIVE
        group, source = await asyncio.gather(
            self.index.find(job.key),
            self._source(job, of),
        )
        if group is not None and group.generation == job.generation and group.previews.keys() >= set(job.formats):
            return PreviewOutcome(state="made")  # by another job a moment ago
        if source is None:
            return _GONE
        targets = job.targets or [to_target(parse(text), comment=self.settings.user_comment) for text in job.formats]
        watermarks, unusable = await Watermarks(self.store).read(targets)
        for reason in unusable.values():
            return PreviewOutcome(state="refused", reason=reason)
        for name, target in zip(job.formats, targets, strict=True):
            if (mark := watermarks.get(target.watermark)) and name != ExactFormat(target, mark.etag).documented:
                raise StoreUnavailable("The watermark was replaced a moment ago.")  # another name, from now on
        made = await self.sandbox.convert_with_metadata(
            source.data,
            targets,
            interactive=not job.background,
            metadata=job.is_new and not job.source_key,
            owner=job.owner or f"preview {job.dedup_key}",
            expensive=expensive,
            may_move=not job.background and not expensive,
            watermarks={path: each.data for path, each in watermarks.items()},
        )
        if failed := [result for result in made.results if isinstance(result, Failed)]:
            return PreviewOutcome(state="refused", reason=failed[0].reason)
        results = [result for result in made.results if isinstance(result, Converted)]
        stored, _ = await asyncio.gather(
            asyncio.gather(
                *(self._store(job, text, result) for text, result in zip(job.formats, results, strict=True))
            ),
            self._describe(job, group, made.metadata),
        )
        self.counts.bytes(of, written=sum(preview.size for preview in stored))
        previews = dict(zip(job.formats, stored, strict=True))
        if job.is_new:
            await self.index.publish_generation(  # in one step, after all of its objects are stored
                job.key,
                job.generation,
                context=job.context,
                source_bytes=0 if job.source_key else source.stored.size,
                previews=previews,
            )
        elif not await self.index.add(job.key, job.generation, previews):
            return _GONE
        _log.info("previews made", formats=job.formats, new=job.is_new, seconds=round(time.perf_counter() - began, 3))
        return PreviewOutcome(state="made", context=job.context, previews=previews)

    async def _source(self, job: PreviewJob, of: ConversionCount) -> LoadedObject | None:
        """Return the source; None if it is gone, or has become another one."""
        kept = self._kept.get((job.source_key, job.source_etag))
        if kept is not None:
            return kept
        key = job.source_key or keys.preview_source(job.key, job.generation)
        loaded = await self.store.get(key, max_bytes=self.max_source_bytes)
        if loaded is None or (job.source_key and loaded.stored.etag != job.source_etag):
            return None
        self.counts.bytes(of, read=loaded.stored.size)
        if job.source_key:
            with suppress(ValueError):  # larger than all that is kept
                self._kept[job.source_key, job.source_etag] = loaded
        return loaded

    async def _store(self, job: PreviewJob, documented: str, result: Converted) -> Preview:
        kind = OUTPUT_TYPES[result.output]
        name = keys.preview_object(job.key, job.generation, documented, kind.extensions[0])
        etag = await self.store.put(name, result.data, content_type=kind.media_type, metadata=extents(result.size))
        width, height = result.size
        return Preview(kind.media_type, len(result.data), etag, width, height)

    async def _describe(self, job: PreviewJob, before: Group | None, metadata: Mapping[str, Any]) -> None:
        """Store what a new generation has beside previews: its metadata, and what the index is rebuilt from."""
        if not job.is_new:
            return
        contexts = ({job.context} - {""}) | (before.contexts if before is not None else set())
        file = GroupFile(key=job.key, generation=job.generation, contexts=frozenset(contexts), created=time.time())
        beside = (
            # An empty source stands for one that is not the group's own.
            self.store.put(keys.preview_source(job.key, job.generation), b"", content_type="application/octet-stream")
            if job.source_key
            else self._put_json(keys.preview_metadata(job.key, job.generation), json.dumps(metadata))
        )
        await asyncio.gather(beside, self._put_json(keys.preview_group(job.key), file.model_dump_json()))

    async def _put_json(self, name: str, text: str) -> str:
        return await self.store.put(name, text.encode(), content_type="application/json")

    async def _make_afterwards(self, job: PreviewJob) -> None:
        """Enqueue the other target formats as batch jobs; if that queue is full, they are made on request."""
        rest = PreviewJob(
            key=job.key,
            generation=job.generation,
            formats=job.then,
            source_key=job.source_key,
            source_etag=job.source_etag,
            background=True,
            owner=job.owner,
        )
        try:
            await self.queue.enqueue_or_join(
                QueueName.BATCH,
                TASK,
                rest.dedup_key,
                rest.model_dump(exclude_defaults=True),
                limit=self.settings.background_queue,
            )
        except (QueueFull, Unavailable) as error:
            _log.info("further previews not enqueued", reason=error.reason)
