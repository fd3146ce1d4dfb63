"""Converting one source to some formats: what a job says, what comes of it, and where outputs go."""

import hashlib
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Literal, NamedTuple
from urllib.parse import quote
from uuid import uuid4

from pydantic import BaseModel, ConfigDict

from imageconverter import keys
from imageconverter.engine import ENGINE_VERSION, OUTPUT_TYPES, OutputType, Target
from imageconverter.engine.source import KEPT_AS
from imageconverter.errors import ConversionFailed, StoreUnavailable
from imageconverter.images.formats import ImageFormat
from imageconverter.images.names import with_extension
from imageconverter.jobs import JobQueue, QueueName

TASK = "convert_source"

# Metadata of an output.
FINGERPRINT = "made-of"
SOURCE = "source"
RUN = "run"
WARNING = "warning"
"""Quoted as in URLs."""

_LONGEST_WARNING = 300

Status = Literal["success", "warning", "skipped", "error"]


class OutputSpec(BaseModel):
    """One output that a job is to make: the target and the directory and name it goes to."""

    model_config = ConfigDict(frozen=True)

    target: Target
    directory: str
    name: str

    def path(self, output: OutputType) -> str:
        """Return the path in the target tree, its extension fitting the *output* type."""
        return f"{self.directory}/{with_extension(self.name, OUTPUT_TYPES[output].extensions)}"

    @property
    def expected_path(self) -> str:
        """The path as far as the name tells before the conversion."""
        if self.target.output == "auto":
            return self.path("jpeg")
        if self.target.output != "keep":
            return self.path(self.target.output)
        return self.path(KEPT_AS.get(PurePosixPath(self.name).suffix.lower(), "png"))


class ConversionJob(BaseModel):
    """A job: one source to all of its outputs. It carries no image bytes."""

    model_config = ConfigDict(frozen=True)

    id: str
    source_key: str
    outputs: tuple[OutputSpec, ...]
    run_id: str = ""
    """The run that the job belongs to, or ""."""
    source_etag: str = ""
    """ETag of the source as it was listed; with it, outputs that are up to date are skipped."""

    def fingerprint(self, etag: str, target: Target) -> str:
        """Return a fingerprint of everything that an output depends on."""
        return _digest(ENGINE_VERSION, self.source_key, etag, target.model_dump_json(exclude_defaults=True))

    def object_metadata(self, etag: str, target: Target, warning: str) -> dict[str, str]:
        """Return the metadata that an output is stored with."""
        object_metadata = {FINGERPRINT: self.fingerprint(etag, target), SOURCE: self.source_id, RUN: self.run_id}
        return {**object_metadata, WARNING: quote(warning[:_LONGEST_WARNING])} if warning else object_metadata

    @property
    def source_id(self) -> str:
        """What tells this source from others of the same name."""
        return _digest(self.source_key)


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


class FormatResult(NamedTuple):
    """An outcome beside the format that it was made for."""

    format: ImageFormat
    outcome: OutputOutcome


def uniform_outcome(job: ConversionJob, status: Status, reason: str) -> ConversionOutcome:
    """Return the outcome of a source all of whose outputs end alike."""
    return ConversionOutcome(
        outputs=tuple(OutputOutcome(status=status, message=reason, path=spec.expected_path) for spec in job.outputs)
    )


def output_specs(source_path: str, formats: Sequence[ImageFormat]) -> tuple[OutputSpec, ...]:
    """Return what is to be made of the source at *source_path*; outputs keep its file name only."""
    name = source_path.rsplit("/", 1)[-1]
    return tuple(OutputSpec(target=f.as_target(), directory=f.target_directory, name=name) for f in formats)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


async def convert_now(
    queue: JobQueue, source_path: str, formats: Sequence[ImageFormat], *, limit: int, seconds: float
) -> list[FormatResult]:
    """Convert a stored source to *formats* while the caller waits, at most *seconds*.

    Raises QueueFull where *limit* conversions are under way, StoreUnavailable where the worker could not
    reach the store, ConversionFailed where nothing came in time or no output could be made.
    """
    job = ConversionJob(
        id=uuid4().hex, source_key=keys.source(source_path), outputs=output_specs(source_path, formats)
    )
    await queue.enqueue(QueueName.INTERACTIVE, TASK, job.id, job.model_dump(exclude_defaults=True), limit=limit)
    outcome = ConversionOutcome.model_validate(await queue.wait(job.id, seconds=seconds))
    if outcome.unavailable:
        raise StoreUnavailable(outcome.unavailable)
    if all(output.status == "error" for output in outcome.outputs):
        raise ConversionFailed(outcome.outputs[0].message)
    return [FormatResult(f, output) for f, output in zip(formats, outcome.outputs, strict=True)]
