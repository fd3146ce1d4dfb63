"""What this release stores for the samples, taken where the code hands it to Redis or S3."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from unittest.mock import AsyncMock, Mock

from imageconverter.catalog import publish
from imageconverter.images.conversions import TASK
from imageconverter.jobs import job_body
from imageconverter.jobs.dead_letters import dead_letter_record, read_job_body
from imageconverter.previews.job import TASK as PREVIEW_TASK
from imageconverter.reports import commands, trash
from imageconverter.runs import RunStore, save_backup
from imageconverter.runs.cursor import PlanCursor
from imageconverter.runs.run_source import RunSource
from tests.payloads.samples import CATALOG, CONVERSION, PREVIEW, RUN, SAMPLES, SOURCE_JOB, SOURCE_RESULT, TRASH


async def written_payloads() -> dict[str, Any]:
    """Return the JSON of each payload by its name."""
    return {
        **await _runs(),
        **await _objects(),
        **await _commands(),
        "conversion_outcome": _dumped("conversion_outcome"),
        "conversion_outcome_unavailable": _dumped("conversion_outcome_unavailable"),
        "preview_outcome": _dumped("preview_outcome"),
        "preview_group": _dumped("preview_group"),
        "report_index": _dumped("report_index"),
        "job_convert_source": json.loads(job_body(TASK, CONVERSION.model_dump(exclude_defaults=True))),
        "job_make_previews": json.loads(job_body(PREVIEW_TASK, PREVIEW.model_dump(exclude_defaults=True))),
    }


def _dumped(name: str) -> Any:
    return json.loads(SAMPLES[name].value.model_dump_json())


async def _runs() -> dict[str, Any]:
    script = AsyncMock(return_value=1)
    runs = RunStore(cast("Any", Mock(register_script=lambda _text: script)), retry_timeout=20)
    await runs.start(RUN)
    _, run, plan, count, *_ = script.call_args.kwargs["args"]
    cursor = PlanCursor(0, "", SOURCE_JOB.index, 0, listed=False)
    await runs.extend(RUN, cursor, [RunSource(SOURCE_JOB.key, SOURCE_JOB.etag)], cursor)
    source_job = script.call_args.kwargs["args"][-1]
    await runs.record(RUN.id, SOURCE_RESULT, SOURCE_RESULT.index)
    (result,) = [each for each in script.call_args.kwargs["args"] if str(each).startswith('{"index"')]
    letter = dead_letter_record("batch", read_job_body(source_job), "It was tried 6 times.", attempts=6)
    return {
        "run": json.loads(run),
        "job_plan_run": json.loads(plan),
        "job_count_run": json.loads(count),
        "job_convert_run_source": json.loads(source_job),
        "source_result": json.loads(result),
        "dead_letter": json.loads(letter),
    }


async def _objects() -> dict[str, Any]:
    store = AsyncMock()
    store.get.return_value = None
    store.now.return_value = datetime.now(UTC)
    await save_backup(store, RUN)
    await trash.begin_batch(store, TRASH)
    await publish(store, "product", CATALOG, Path())
    written = [*store.put.call_args_list, *store.replace.call_args_list]
    names = ("run_backup", "trash_manifest", "catalog_current")
    return {name: json.loads(put.args[1]) for name, put in zip(names, written, strict=True)}


async def _commands() -> dict[str, Any]:
    queue = AsyncMock()
    queue.wait.return_value = {}
    scan = cast("commands.ScanCommand", SAMPLES["job_scan"].value)
    await commands.scan(queue, accept_shrinkage=scan.accept_shrinkage)
    for task in (commands.IMPORT, commands.CLEAN, commands.RESTORE, commands.REPAIR):
        await commands.run_command(queue, task, cast("Any", SAMPLES[f"job_{task}"].value), seconds=1)
    return {
        f"job_{task}": json.loads(job_body(task, payload))
        for _, task, _, payload in (call.args for call in queue.enqueue.call_args_list)
    }
