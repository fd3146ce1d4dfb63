"""Carrying out one conversion job: fetch the source, convert it in a child, store the outputs."""

import asyncio
import time

import structlog

from imageconverter import keys
from imageconverter.conversions import ConversionJob, ConversionOutcome, OutputOrder, OutputOutcome, failed_outcomes
from imageconverter.engine import OUTPUT_FORMATS, Converted, Failed
from imageconverter.errors import PictureError
from imageconverter.storage import ObjectStore
from services.worker.children import ChildPool

_log = structlog.get_logger(__name__)


async def carry_out(
    job: ConversionJob, store: ObjectStore, children: ChildPool, *, urgent: bool
) -> ConversionOutcome:
    """Convert the job's source and store all outputs that could be made; doing it twice leaves the same.

    A picture that cannot be converted is an outcome. Raises StoreUnavailable where the store is away.
    """
    began = time.perf_counter()
    source = await store.get(job.source_key)
    if source is None:
        return failed_outcomes(job, "The source does not exist any more.")
    try:
        results = await children.convert(source, [order.target for order in job.outputs], urgent=urgent)
    except PictureError as error:
        outcome = failed_outcomes(job, error.reason)
    else:
        stored = [_store(store, order, result) for order, result in zip(job.outputs, results, strict=True)]
        outcome = ConversionOutcome(outputs=tuple(await asyncio.gather(*stored)))
    _log.info(
        "converted",
        job=job.id,
        source=job.source_key,
        status=[output.status for output in outcome.outputs],
        seconds=round(time.perf_counter() - began, 3),
    )
    return outcome


async def _store(store: ObjectStore, order: OutputOrder, result: Converted | Failed) -> OutputOutcome:
    if isinstance(result, Failed):
        return OutputOutcome(status="error", message=result.reason, path=order.expected_path)
    path = order.path(result.output)
    await store.put(keys.target(path), result.data, content_type=OUTPUT_FORMATS[result.output].media_type)
    return OutputOutcome(
        status="warning" if result.warning else "success",
        message=result.warning or "success",
        path=path,
        size=len(result.data),
        seconds=result.seconds,
    )
