"""Converting one source to some formats: what a job says, what comes of it, and where outputs go."""

from collections.abc import Sequence
from typing import Literal, NamedTuple
from uuid import uuid4

from pydantic import BaseModel, ConfigDict

from imageconverter import keys
from imageconverter.engine import OUTPUT_FORMATS, OutputType, Target
from imageconverter.errors import ConversionFailed, StoreUnavailable
from imageconverter.formats import Format
from imageconverter.jobs import JobQueue, Lane
from imageconverter.names import with_extension

TASK = "convert_source"

Status = Literal["success", "warning", "skipped", "error"]


class OutputOrder(BaseModel):
    """One output that a job is to make: the target and the directory and name it goes to."""

    model_config = ConfigDict(frozen=True)

    target: Target
    directory: str
    name: str

    def path(self, output: OutputType) -> str:
        """Return the path in the target tree, its extension fitting the *output* type."""
        return f"{self.directory}/{with_extension(self.name, OUTPUT_FORMATS[output].extensions)}"

    @property
    def expected_path(self) -> str:
        """The path as far as it is known before the conversion."""
        return f"{self.directory}/{self.name}" if self.target.output == "keep" else self.path(self.target.output)


class ConversionJob(BaseModel):
    """A job: one source to all of its outputs. It carries no image bytes."""

    model_config = ConfigDict(frozen=True)

    id: str
    source_key: str
    outputs: tuple[OutputOrder, ...]


class OutputOutcome(BaseModel):
    """What became of one output."""

    model_config = ConfigDict(frozen=True)

    status: Status
    message: str
    """"success", or the reason of a warning or error."""
    path: str
    """Path in the target tree; filled for errors too."""
    size: int = 0
    """Bytes."""
    seconds: float = 0.0


class ConversionOutcome(BaseModel):
    """What became of a job: an outcome for each output in the order of the job, or trouble that may pass."""

    model_config = ConfigDict(frozen=True)

    outputs: tuple[OutputOutcome, ...] = ()
    unavailable: str = ""
    """Why nothing could be done now; "" where something was."""


class NamedOutcome(NamedTuple):
    """An outcome beside the format that it was made for."""

    format: Format
    outcome: OutputOutcome


def failed_outcomes(job: ConversionJob, reason: str) -> ConversionOutcome:
    """Return the outcome of a source that cannot be converted at all."""
    return ConversionOutcome(
        outputs=tuple(
            OutputOutcome(status="error", message=reason, path=order.expected_path) for order in job.outputs
        )
    )


async def convert_now(
    queue: JobQueue, source_path: str, formats: Sequence[Format], *, limit: int, seconds: float
) -> list[NamedOutcome]:
    """Convert a stored source to *formats* while the caller waits, at most *seconds*.

    Raises QueueFull where *limit* conversions are under way, StoreUnavailable where the worker could not
    reach the store, ConversionFailed where nothing came in time or no output could be made.
    """
    name = source_path.rsplit("/", 1)[-1]
    job = ConversionJob(
        id=uuid4().hex,
        source_key=keys.source(source_path),
        outputs=tuple(OutputOrder(target=f.as_target(), directory=f.target_directory, name=name) for f in formats),
    )
    await queue.accept(Lane.INTERACTIVE, TASK, job.id, job.model_dump(), limit=limit)
    outcome = ConversionOutcome.model_validate(await queue.wait(job.id, seconds=seconds))
    if outcome.unavailable:
        raise StoreUnavailable(outcome.unavailable)
    if all(output.status == "error" for output in outcome.outputs):
        raise ConversionFailed(outcome.outputs[0].message)
    return [NamedOutcome(f, output) for f, output in zip(formats, outcome.outputs, strict=True)]
