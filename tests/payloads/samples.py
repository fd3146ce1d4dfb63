"""The values behind the payloads of all releases, and how each is read; keep in step with the JSON files."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from pydantic import BaseModel

from imageconverter.catalog import CatalogVersion
from imageconverter.images.conversions import ConversionJob, ConversionOutcome, OutputOutcome, output_specs
from imageconverter.images.image_formats import ImageFormat
from imageconverter.jobs.dead_letters import read_job_body
from imageconverter.previews.job import PreviewJob, PreviewOutcome
from imageconverter.previews.reindex import GroupFile
from imageconverter.reports.commands import CleanupCommand, ImportCommand, RepairCommand, RestoreCommand, ScanCommand
from imageconverter.reports.index import Report, _ReportIndex
from imageconverter.reports.summary import CatalogSize, Found, Summary
from imageconverter.reports.trash import TrashBatch
from imageconverter.runs import Run, SourceResult
from imageconverter.runs.job import RunJob, RunSourceJob
from imageconverter.runs.run import Batch

AT: Final = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
IMPORT_ID: Final = "20261101T120000000000-00000000"
CLEANUP_ID: Final = "20261101T120000-00000000"

PLAIN: Final = ImageFormat(
    id="plain", name="plain", type="product", target_directory="products/plain", max_width=800, max_height=None
)
"""Nothing but what is required."""

FULL: Final = ImageFormat(
    id="full",
    aliases=("old",),
    name="full",
    type="category",
    target_directory="categories/full",
    source_directory="masters",
    max_width=400,
    max_height=300,
    fit="crop",
    focus=(0.25, 0.75),
    fill=True,
    auto_rotate=False,
    output="webp",
    quality=71,
    lossless=True,
    chroma="4:4:4",
    progressive=True,
    max_kilobytes=90,
    animation=False,
    background="#102030",
    upscale=True,
    least_side=2,
    comment="a shop",
)
"""Every field of release 0.1.0 differs from its default."""

RUN: Final = Run(
    id="0123456789ab",
    action="manual",
    batches=(Batch(directory="masters", formats=(PLAIN, FULL)),),
    formats=(PLAIN.node_id, FULL.node_id),
)
SOURCE_JOB: Final = RunSourceJob(run_id=RUN.id, index=7, batch=0, key="source/masters/a.png", etag="etag-a")
OUTCOMES: Final = (
    OutputOutcome(status="success", message="success", path="products/plain/a.png", size=1234, seconds=0.5),
    OutputOutcome(status="error", message="broken", path="categories/full/a.webp"),
)
SOURCE_RESULT: Final = SourceResult(
    index=7, source="masters/a.png", outputs=tuple(zip(RUN.formats, OUTCOMES, strict=True))
)
CONVERSION: Final = ConversionJob(
    id="job-1",
    source_key="source/upload/abc/a.png",
    # The id of the format, which is for metrics only, is new.
    outputs=tuple(each.model_copy(update={"format": ""}) for each in output_specs("upload/abc/a.png", [PLAIN, FULL])),
)
PREVIEW: Final = PreviewJob(
    key="k" * 8,
    generation="0" * 32,
    formats=("jpeg:100x100@80",),
    context="shop",
    is_new=True,
    then=("png:50x50@1",),
)
REPORT: Final = Report(
    id=3,
    at=AT,
    folder="00000003-20261101T120000000000",
    catalog="20261031",
    formats="d" * 64,
    summary=Summary(
        catalog=CatalogSize(10, 20),
        files=30,
        file_bytes=40,
        ignored=5,
        missing=6,
        missing_but_near=7,
        unused=0,
        unused_bytes=9,
        formats={"content.imageFormat.plain": Found(missing=6)},
        unused_refused="",
        shared_directories=("shared",),
    ),
)
TRASH: Final = TrashBatch(id=CLEANUP_ID, kind="product", at=AT, report=3, files=2, bytes=3, done=False)
CATALOG: Final = CatalogVersion(
    version="20261101T120000",
    entries=10,
    images=20,
    at=AT,
    received_at=AT - timedelta(minutes=1),
    bytes=99,
    parts=0,
)


class Sample(NamedTuple):
    """The value of one payload."""

    value: BaseModel
    read: Callable[[Any], BaseModel]
    """Parses the JSON of the payload, as this release does."""


def _stored(value: BaseModel) -> Sample:
    return Sample(value, lambda payload: type(value).model_validate_json(json.dumps(payload)))


def _job(value: BaseModel) -> Sample:
    def read(payload: Any) -> BaseModel:
        body = read_job_body(json.dumps(payload).encode())
        assert body is not None
        return type(value).model_validate(*body.arguments)

    return Sample(value, read)


def _dead_letter(payload: Any) -> BaseModel:
    return _job(SOURCE_JOB).read(json.loads(payload["body"]))


SAMPLES: Final[Mapping[str, Sample]] = {
    "run": _stored(RUN),
    "run_backup": _stored(RUN),
    "source_result": _stored(SOURCE_RESULT),
    "conversion_outcome": _stored(ConversionOutcome(outputs=OUTCOMES)),
    "conversion_outcome_unavailable": _stored(ConversionOutcome(unavailable="no store")),
    "preview_outcome": _stored(PreviewOutcome(state="refused", reason="broken", seconds=0.25)),
    "preview_group": _stored(
        GroupFile(key=PREVIEW.key, generation=PREVIEW.generation, contexts=frozenset({"shop"}), created=1.5)
    ),
    "report_index": _stored(_ReportIndex(reports=[REPORT])),
    "trash_manifest": _stored(TRASH),
    "catalog_current": _stored(CATALOG),
    "dead_letter": Sample(SOURCE_JOB, _dead_letter),
    "job_plan_run": _job(RunJob(run_id=RUN.id)),
    "job_count_run": _job(RunJob(run_id=RUN.id)),
    "job_convert_run_source": _job(SOURCE_JOB),
    "job_convert_source": _job(CONVERSION),
    "job_make_previews": _job(PREVIEW),
    "job_scan": _job(ScanCommand(id="scan", accept_shrinkage=("product",))),
    "job_import_catalogue": _job(ImportCommand(id=IMPORT_ID, kind="app", notation="csv", pending_id=IMPORT_ID)),
    "job_clean_up": _job(CleanupCommand(id=CLEANUP_ID, kind="product", dry=True, share=0.25)),
    "job_restore": _job(RestoreCommand(id="20261101T120000-00000001", trash=CLEANUP_ID)),
    "job_repair": _job(RepairCommand(id="20261101T120000-00000002", kind="category")),
}
