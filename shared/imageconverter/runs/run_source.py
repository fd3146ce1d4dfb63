"""A source of a run, as the planner finds it."""

from collections.abc import Sequence
from typing import NamedTuple

from imageconverter import keys
from imageconverter.images.conversions import OutputOutcome
from imageconverter.jobs import job_body
from imageconverter.runs.job import CONVERT_TASK, RunSourceJob
from imageconverter.runs.run import Run, SourceResult


class RunSource(NamedTuple):
    """A source to enqueue."""

    key: str
    etag: str
    batch: int = 0
    """Index of its batch."""
    unchanged: Sequence[OutputOutcome] = ()
    """The outcomes of its outputs if they are all up to date: it need not be enqueued."""

    def entry(self, run: Run, index: int) -> str | bytes:
        """Return what is written of the source with *index*: its job, or its result if it is unchanged."""
        if not self.unchanged:
            job = RunSourceJob(run_id=run.id, index=index, batch=self.batch, key=self.key, etag=self.etag)
            return job_body(CONVERT_TASK, job.payload())
        formats = run.batches[self.batch].formats
        outputs = tuple(zip((each.node_id for each in formats), self.unchanged, strict=True))
        result = SourceResult(index=index, source=self.key.removeprefix(keys.SOURCE), outputs=outputs)
        return result.model_dump_json(exclude_defaults=True)
