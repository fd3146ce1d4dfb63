"""Conversion jobs: fetch the source, convert it in the sandbox, store the outputs."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote

import structlog

from imageconverter import keys
from imageconverter.engine import OUTPUT_TYPES, Converted, Failed, identify
from imageconverter.engine.source_types import HEAD_BYTES
from imageconverter.errors import ImageError, NotAnImage, Unavailable
from imageconverter.images.conversions import (
    RUN,
    SOURCE,
    WARNING,
    ConversionJob,
    ConversionOutcome,
    OutputOutcome,
    OutputSpec,
    made_output,
    uniform_outcome,
    up_to_date,
)
from imageconverter.images.focal_points import Points, read_points
from imageconverter.images.output_index import MadeOutput
from imageconverter.images.source_facts import find_facts, keeps_facts, put_facts
from imageconverter.images.variants import FINGERPRINT, find_output, variant_sizes, variants_metadata
from imageconverter.jobs import QueueName
from imageconverter.monitoring.counts import ConversionCount, Counts
from imageconverter.storage.store import ObjectStore, StoredObject
from services.worker.facts_executor import stored_facts
from services.worker.sandbox.pool import SandboxPool
from services.worker.variant_storing import OutputVariants
from services.worker.watermarks import Watermarks

if TYPE_CHECKING:
    from typing_extensions import Buffer

_log = structlog.get_logger(__name__)

_NO_ROOM = "The file name is too long for the extension of the output type."
_CLASH = "Another image of this name was converted in the same run; this one has replaced it."


# Instead of the source type, in metrics.
_NO_IMAGE: Final = "none"
_UNREADABLE: Final = "unreadable"


class _Output(NamedTuple):
    """An output of a job, and what the output index keeps of it, None if it was not made."""

    outcome: OutputOutcome
    made: MadeOutput | None = None
    written: int = 0
    """Bytes."""


@dataclass(frozen=True)
class ConversionExecutor:
    """Runs conversion jobs."""

    store: ObjectStore
    sandbox: SandboxPool
    max_source_bytes: int
    counts: Counts = field(default_factory=Counts)
    makes_facts: bool = False
    """Whether the facts of sources are made too."""
    watermarks: Watermarks = field(init=False)

    def __post_init__(self) -> None:
        """Read watermarks from the same store."""
        object.__setattr__(self, "watermarks", Watermarks(self.store))

    async def run(self, job: ConversionJob, *, queue: QueueName = QueueName.BATCH) -> ConversionOutcome:
        """Convert the source of *job* of a *queue* and store the outputs; idempotent.

        A job for which a client waits goes before batch jobs in the sandbox. Unless it is known as expensive, it
        raises ExpensiveImage if it would wait for others that are.

        An image that cannot be converted is an outcome. In a run, outputs that are up to date are skipped, as are
        files that are not images. Raises StoreUnavailable.
        """
        began = time.perf_counter()
        of = ConversionCount("image", queue)
        try:
            outcome = await self._convert(job, of)
        except NotAnImage as error:
            outcome = uniform_outcome(job, "skipped" if job.run_id else "error", error.reason)
            self._count_outputs(of, job.outputs, outcome.outputs, _NO_IMAGE)
        except ImageError as error:
            outcome = uniform_outcome(job, "error", error.reason)
            self._count_outputs(of, job.outputs, outcome.outputs, _UNREADABLE)
        except Unavailable:
            self.counts.conversion(of, "unavailable", seconds=time.perf_counter() - began)
            raise
        self.counts.conversion(of, outcome.worst, seconds=time.perf_counter() - began)
        _log.info(
            "converted",
            job=job.id,
            source=job.source_key,
            status=[output.status for output in outcome.outputs],
            seconds=round(time.perf_counter() - began, 3),
        )
        return outcome

    def count_unchanged(self, sources: int) -> None:
        """Count *sources* of a run that needed no job, because their outputs are up to date."""
        for _ in range(sources):
            self.counts.conversion(ConversionCount("image", QueueName.BATCH), "skipped", seconds=0)

    async def _convert(self, job: ConversionJob, of: ConversionCount) -> ConversionOutcome:
        interactive, expensive = of.queue is not QueueName.BATCH, of.queue is QueueName.EXPENSIVE
        targets = [spec.target for spec in job.outputs]
        watermarks, unusable = await self.watermarks.read(targets, may_be_old=bool(job.run_id))
        job = job.with_watermarks({path: each.etag for path, each in watermarks.items()})
        points = await self._focal_points(job)
        listed = job.aimed_at(points.get(job.source_etag))
        found = await self._existing(listed) if job.run_id else {}
        done = _up_to_date(listed, found)
        wanted = [index for index in range(len(job.outputs)) if index not in done]
        if wanted:
            source = await self.store.get(job.source_key, max_bytes=self.max_source_bytes)
            if source is None:
                return uniform_outcome(job, "error", "The source does not exist any more.")
            self.counts.bytes(of, read=source.stored.size)
            job = job.aimed_at(points.get(source.stored.etag))
            output_specs = [job.outputs[index] for index in wanted]
            needs_facts = await self._needs_facts(source.stored)
            made = await self.sandbox.convert_with_metadata(
                source.data,
                [spec.target for spec in output_specs if spec.target.watermark not in unusable],
                interactive=interactive,
                metadata=False,
                facts=needs_facts,
                owner=job.owner or f"job {job.id}",
                expensive=expensive,
                may_move=interactive and not expensive,
                watermarks={path: each.data for path, each in watermarks.items()},
            )
            if needs_facts and made.facts is not None:
                await put_facts(
                    self.store, job.source_key.removeprefix(keys.SOURCE), stored_facts(source.stored.etag, made.facts)
                )
            results = _with_failures(made.results, output_specs, unusable)
            stored = await asyncio.gather(
                *(
                    self._store(job, source.stored, spec, result, found)
                    for spec, result in zip(output_specs, results, strict=True)
                )
            )
            outcomes = [each.outcome for each in stored]
            self.counts.bytes(of, written=sum(each.written for each in stored))
            self._count_outputs(of, output_specs, outcomes, _source_type(source.data))
            done |= dict(zip(wanted, stored, strict=True))
        outputs = [done[index] for index in range(len(job.outputs))]
        return ConversionOutcome(
            outputs=tuple(each.outcome for each in outputs),
            made=tuple(each.made for each in outputs if each.made and job.run_id),
        )

    async def _needs_facts(self, source: StoredObject) -> bool:
        """Return whether the facts of *source* are to be made by the way."""
        path = source.key.removeprefix(keys.SOURCE)
        return self.makes_facts and keeps_facts(path) and await find_facts(self.store, source) is None

    def _count_outputs(
        self, of: ConversionCount, specs: Sequence[OutputSpec], outcomes: Sequence[OutputOutcome], source_type: str
    ) -> None:
        for spec, outcome in zip(specs, outcomes, strict=True):
            self.counts.output(of, outcome.status, format_id=spec.format, source_type=source_type)

    async def _focal_points(self, job: ConversionJob) -> Points:
        """Return the focal points of the source, none if no output depends on them."""
        if not any(spec.target.uses_focal_point for spec in job.outputs):
            return {}
        return await read_points(self.store, job.source_key.removeprefix(keys.SOURCE))

    async def _existing(self, job: ConversionJob) -> dict[str, StoredObject | None]:
        """Return the existing objects at the expected paths of the outputs, None if there is none."""
        paths = [spec.expected_path for spec in job.outputs]
        targets = [spec.target for spec in job.outputs]
        found = await asyncio.gather(*map(partial(find_output, self.store), paths, targets))
        return dict(zip(paths, found, strict=True))

    async def _store(
        self,
        job: ConversionJob,
        source: StoredObject,
        spec: OutputSpec,
        result: Converted | Failed,
        found: Mapping[str, StoredObject | None],
    ) -> _Output:
        if isinstance(result, Failed):
            return _Output(OutputOutcome(status="error", message=result.reason, path=spec.expected_path))
        if not spec.has_room(result.output):  # cut, it could be the name of another image's output
            return _Output(OutputOutcome(status="error", message=_NO_ROOM, path=spec.expected_path))
        path = spec.path(result.output)
        key, media_type = job.output_key(path), OUTPUT_TYPES[result.output].media_type
        before, warning = found.get(path), result.warning
        object_metadata = job.object_metadata(source.etag, spec, result.size, warning)
        variants = OutputVariants(self.store, path, spec.target, object_metadata[FINGERPRINT])
        if before is not None and before.metadata.get(FINGERPRINT) == variants.fingerprint:
            return await self._add_variants(job, variants, result, before)
        sizes = await variants.put(result, max_bytes=len(result.data))
        object_metadata |= variants_metadata(sizes)
        # If there was no object, another source of the same name may have stored one since.
        fresh = path in found and before is None
        etag = None
        if fresh:
            etag = await self.store.create(key, result.data, content_type=media_type, metadata=object_metadata)
        if etag is None:
            before = await self.store.head(key) if fresh else before
            if not warning and _is_clash(job, before):
                warning = _CLASH
                object_metadata |= job.object_metadata(source.etag, spec, result.size, warning)
            etag = await self.store.put(key, result.data, content_type=media_type, metadata=object_metadata)
        await variants.delete_others(sizes, before)
        outcome = _made(path, result, warning)
        return _Output(outcome, made_output(path, etag, object_metadata), outcome.size + sum(sizes.values()))

    async def _add_variants(
        self, job: ConversionJob, variants: OutputVariants, result: Converted, before: StoredObject
    ) -> _Output:
        """Store the missing variants of an output that is up to date itself."""
        output = await variants.add_missing(result, before, run_id=job.run_id)
        outcome = _made(variants.path, result, result.warning).model_copy(update={"size": before.size})
        if output is None:
            return _Output(outcome)
        written = sum(variant_sizes(output.metadata).values()) - sum(variant_sizes(before.metadata).values())
        return _Output(outcome, made_output(variants.path, output.etag, output.metadata), written)


def _with_failures(
    made: Sequence[Converted | Failed], specs: Sequence[OutputSpec], unusable: Mapping[str, str]
) -> list[Converted | Failed]:
    """Return what was *made*, and a failure for each of *specs* whose watermark is among the *unusable* ones."""
    rest = iter(made)
    reasons = [unusable.get(spec.target.watermark) for spec in specs]
    return [next(rest) if reason is None else Failed(reason) for reason in reasons]


def _made(path: str, result: Converted, warning: str) -> OutputOutcome:
    """Return the outcome of an output that was stored at *path*."""
    return OutputOutcome(
        status="warning" if warning else "success",
        message=warning or "success",
        path=path,
        size=len(result.data),
        width=result.size[0],
        height=result.size[1],
        seconds=result.seconds,
    )


def _up_to_date(job: ConversionJob, found: Mapping[str, StoredObject | None]) -> dict[int, _Output]:
    """Return the outcomes of outputs that are up to date, by their index.

    An output that this run has made keeps its status: the worker died before recording it, or Redis has lost its
    data.
    """
    done = {}
    for index, spec in enumerate(job.outputs):
        stored = found.get(spec.expected_path)
        if not stored or not job.is_up_to_date(spec, stored):
            continue
        outcome = up_to_date(spec.expected_path, stored.size)
        if stored.metadata.get(RUN) == job.run_id:
            warning = unquote(stored.metadata.get(WARNING, ""))
            status, message = ("warning", warning) if warning else ("success", "success")
            outcome = outcome.model_copy(update={"status": status, "message": message})
        done[index] = _Output(outcome, made_output(spec.expected_path, stored.etag, stored.metadata))
    return done


def _is_clash(job: ConversionJob, before: StoredObject | None) -> bool:
    """Whether the existing object was made in the same run, but of another source."""
    return (
        before is not None
        and bool(job.run_id)
        and before.metadata.get(RUN) == job.run_id
        and before.metadata.get(SOURCE) != job.source_id
    )


def _source_type(data: "Buffer") -> str:
    found = identify(bytes(memoryview(data)[:HEAD_BYTES]))
    return found.name if found else _UNREADABLE
