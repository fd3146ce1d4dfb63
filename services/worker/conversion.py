"""Carrying out one conversion job: fetch the source, convert it in a child, store the outputs."""

import asyncio
import time
from dataclasses import dataclass

import structlog

from imageconverter import keys
from imageconverter.conversions import (
    MADE_OF,
    RUN,
    SOURCE,
    ConversionJob,
    ConversionOutcome,
    OutputOrder,
    OutputOutcome,
    same_outcomes,
)
from imageconverter.engine import OUTPUT_FORMATS, Converted, Failed
from imageconverter.errors import NotAPicture, PictureError
from imageconverter.storage import ObjectStore, StoredObject
from services.worker.children import ChildPool

_log = structlog.get_logger(__name__)

_CLASH = "Another picture of this name was converted in the same run; this one has replaced it."


@dataclass(frozen=True)
class Conversion:
    """What carrying out a job takes."""

    store: ObjectStore
    children: ChildPool
    max_source_bytes: int

    async def carry_out(self, job: ConversionJob) -> ConversionOutcome:
        """Convert the job's source and store all outputs that could be made; doing it twice leaves the same.

        A picture that cannot be converted is an outcome. In a run, outputs that are up to date are skipped, and
        so are files that are no pictures. Raises StoreUnavailable where the store is away.
        """
        began = time.perf_counter()
        try:
            outcome = await self._convert(job)
        except NotAPicture as error:
            outcome = same_outcomes(job, "skipped" if job.run_id else "error", error.reason)
        except PictureError as error:
            outcome = same_outcomes(job, "error", error.reason)
        _log.info(
            "converted",
            job=job.id,
            source=job.source_key,
            status=[output.status for output in outcome.outputs],
            seconds=round(time.perf_counter() - began, 3),
        )
        return outcome

    async def _convert(self, job: ConversionJob) -> ConversionOutcome:
        done, clashes = await self._look(job) if job.run_id else ({}, set())
        wanted = [index for index in range(len(job.outputs)) if index not in done]
        if wanted:
            source = await self.store.get(job.source_key, max_bytes=self.max_source_bytes)
            if source is None:
                return same_outcomes(job, "error", "The source does not exist any more.")
            orders = [job.outputs[index] for index in wanted]
            results = await self.children.convert(
                source.data, [order.target for order in orders], urgent=not job.run_id
            )
            stored = await asyncio.gather(
                *(
                    self._store(job, source.stored, order, result)
                    for order, result in zip(orders, results, strict=True)
                )
            )
            done |= dict(zip(wanted, stored, strict=True))
        outputs = [
            done[index].model_copy(update={"status": "warning", "message": _CLASH})
            if index in clashes and done[index].status == "success"
            else done[index]
            for index in range(len(job.outputs))
        ]
        return ConversionOutcome(outputs=tuple(outputs))

    async def _look(self, job: ConversionJob) -> tuple[dict[int, OutputOutcome], set[int]]:
        """Return the outputs that are up to date, and those that another source of this run has made."""
        paths = [order.expected_path for order in job.outputs]
        found = await asyncio.gather(*(self.store.head(keys.target(path)) for path in paths))
        unchanged, clashes = {}, set()
        for index, stored in enumerate(found):
            if stored is None:
                continue
            if stored.metadata.get(MADE_OF) == job.made_of(job.source_etag, job.outputs[index].target):
                unchanged[index] = OutputOutcome(
                    status="skipped", message="The output is up to date.", path=paths[index], size=stored.size
                )
            elif stored.metadata.get(RUN) == job.run_id and stored.metadata.get(SOURCE) != job.source_mark:
                clashes.add(index)
        return unchanged, clashes

    async def _store(
        self, job: ConversionJob, source: StoredObject, order: OutputOrder, result: Converted | Failed
    ) -> OutputOutcome:
        if isinstance(result, Failed):
            return OutputOutcome(status="error", message=result.reason, path=order.expected_path)
        path = order.path(result.output)
        await self.store.put(
            keys.target(path),
            result.data,
            content_type=OUTPUT_FORMATS[result.output].media_type,
            metadata=job.marks(source.etag, order.target),
        )
        return OutputOutcome(
            status="warning" if result.warning else "success",
            message=result.warning or "success",
            path=path,
            size=len(result.data),
            seconds=result.seconds,
        )
