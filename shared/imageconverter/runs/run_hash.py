"""The hash of a run in Redis: read as its status, written from its summary."""

from collections.abc import Mapping
from typing import cast

import structlog
from pydantic import ValidationError

from imageconverter.errors import RunUnreadable
from imageconverter.runs.run import Counts, Run, RunStatus, RunSummary, State

_log = structlog.get_logger(__name__)


def read_status(run_id: str, fields: Mapping[bytes, bytes], now: int) -> RunStatus:
    """Return the status of a run at the time *now*; of one that cannot be read the id is all that is known."""
    values = {name.decode(): value.decode() for name, value in fields.items()}

    def number(name: str) -> int:
        return int(values.get(name, 0))

    try:
        run = parse_run(run_id, values["run"])
    except RunUnreadable:
        run = Run(id=run_id, action="", batches=(), formats=())
    sources = Counts(*(number(f"sources:{name}") for name in Counts._fields))
    outputs = Counts(*(number(f"outputs:{name}") for name in Counts._fields))
    return RunStatus(
        run=run,
        state=cast("State", values["state"]),
        sources=sources,
        outputs=outputs,
        sources_total=max(number("sources_total"), number("planned")),
        outputs_total=max(number("outputs_total"), sum(outputs)),
        started=number("started"),
        ended=number("ended"),
        now=now,
        reason=values.get("reason", ""),
        is_counted=values.get("listed") == "1" or number("count_batch") >= len(run.batches),
    )


def hash_of(summary: RunSummary) -> list[str]:
    """Return the names and values of the hash of a run that has ended."""
    values = {
        "run": summary.run.model_dump_json(exclude_defaults=True),
        "state": summary.state,
        "started": summary.started,
        "ended": summary.ended,
        "reason": summary.reason,
        "listed": 1,
        "planned": summary.sources_total,
        "recorded": summary.sources_total,
        "sources_total": summary.sources_total,
        "outputs_total": summary.outputs_total,
        "moved": summary.results,
        **{f"sources:{name}": count for name, count in summary.sources.items()},
        **{f"outputs:{name}": count for name, count in summary.outputs.items()},
    }
    return [str(text) for pair in values.items() for text in pair]


def parse_run(run_id: str, text: str | bytes) -> Run:
    """Return the definition of a run; raises RunUnreadable."""
    try:
        return Run.model_validate_json(text)
    except ValidationError as error:
        _log.error("run unreadable", run=run_id, error=str(error))
        raise RunUnreadable("The stored run cannot be read by this release.") from error
