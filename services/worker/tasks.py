"""The worker's tasks, by the names under which jobs ask for them."""

from collections.abc import Mapping
from typing import Any

import structlog

from imageconverter.conversions import TASK, ConversionJob, ConversionOutcome
from imageconverter.errors import Unavailable
from imageconverter.jobs import Task
from imageconverter.resources import Resources
from services.worker.children import ChildPool
from services.worker.conversion import carry_out

_log = structlog.get_logger(__name__)


def interactive_tasks(resources: Resources, children: ChildPool) -> Mapping[str, Task]:
    """Tasks of the interactive lane: a client waits for each of them."""

    async def convert_source(_context: dict[str, Any], payload: dict[str, Any]) -> None:
        """Convert a source and tell the client that waits, of trouble too: it decides whether to try again."""
        job = ConversionJob.model_validate(payload)
        try:
            outcome = await carry_out(job, resources.store, children, urgent=True)
        except Unavailable as error:
            outcome = ConversionOutcome(unavailable=error.reason)
        except Exception:  # noqa: BLE001 - whatever happened, the client must not wait in vain
            _log.exception("conversion failed by a fault of ours", job=job.id)
            outcome = ConversionOutcome(unavailable="The conversion failed by a fault of the server.")
        await resources.queue.reply(job.id, outcome.model_dump())

    return {TASK: convert_source}
