"""The conversion of one source to several image formats: the job, its outcome and the paths of the outputs."""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple
from urllib.parse import quote
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field

from imageconverter import keys
from imageconverter.engine import ENGINE_VERSION, OUTPUT_TYPES, OutputType, Target
from imageconverter.engine.output_types import Size
from imageconverter.engine.source_types import KEPT_AS
from imageconverter.engine.target import Point, VariantType
from imageconverter.errors import InvalidValue, NotConverted, StoreUnavailable
from imageconverter.images.image_formats import ImageFormat
from imageconverter.images.names import has_room, suffix, with_extension
from imageconverter.images.output_index import IndexedOutput, MadeOutput
from imageconverter.images.variants import FINGERPRINT, VARIANTS, variant_sizes
from imageconverter.jobs import Client, JobQueue, QueueName
from imageconverter.quoting import quoted
from imageconverter.storage.store import StoredObject

TASK = "convert_source"

# Metadata of an output.
SOURCE = "source"
RUN = "run"
WARNING = "warning"
"""Quoted as in URLs."""
SIZE = "size"
"""Width and height in pixels, as in `800x600`; outputs of release 0.2.0 and before lack it."""

_MAX_WARNING_LENGTH = 300
_SIZE = re.compile(r"([1-9]\d{0,8})x([1-9]\d{0,8})")

Status = Literal["success", "warning", "skipped", "error"]
_SEVERITY: tuple[Status, ...] = ("skipped", "success", "warning", "error")


class OutputSpec(BaseModel):
    """One output of a job: its target, directory and name."""

    model_config = ConfigDict(frozen=True)

    target: Target
    directory: str
    name: str
    format: str = ""
    """The id of the image format, for metrics; jobs of earlier releases have none."""
    watermark_etag: str = ""
    """The ETag of the watermark, "" without one; jobs have none until they are executed."""

    def aimed_at(self, point: Point | None) -> "OutputSpec":
        """Return the output of a source that has the focal point *point*, None if it has none."""
        target = self.target.aimed_at(point)
        return self if target is self.target else self.model_copy(update={"target": target})

    def path(self, output: OutputType) -> str:
        """Return the path in the target tree, with an extension of the *output* type."""
        return f"{self.directory}/{with_extension(self.name, OUTPUT_TYPES[output].extensions)}"

    @property
    def possible_paths(self) -> list[str]:
        """The paths that the output may have, the most likely one first."""
        if self.target.output == "auto":
            return [self.path(output) for output in self.target.possible_outputs]
        return [self.expected_path]

    def has_room(self, output: OutputType) -> bool:
        """Whether the whole name fits into that path."""
        return has_room(self.name, OUTPUT_TYPES[output].extensions)

    @property
    def expected_path(self) -> str:
        """The path that the name suggests before the conversion."""
        return self.path(self.expected_output)

    @property
    def expected_output(self) -> OutputType:
        """The output type that the name suggests before the conversion."""
        return _expected_output(self.target, self.name)


class ConversionJob(BaseModel):
    """A job: one source and all of its outputs, without image data."""

    model_config = ConfigDict(frozen=True)

    id: str
    source_key: str
    outputs: tuple[OutputSpec, ...]
    run_id: str = ""
    """The run that the job belongs to, or ""."""
    source_etag: str = ""
    """ETag of the source when it was listed. If set, outputs that are up to date are skipped."""
    owner: str = ""
    """Who the image belongs to: no sandbox process converts images of several owners."""
    waited: bool = False
    """Whether the job was enqueued as one that is waited for: it ends if the client leaves."""
    is_example: bool = False
    """Whether the outputs are kept like uploads, out of the target tree."""

    def output_key(self, path: str) -> str:
        """Return the object key of the output at *path*."""
        return keys.source(path) if self.is_example else keys.target(path)

    def fingerprint(self, etag: str, spec: OutputSpec) -> str:
        """Return a fingerprint of everything that an output depends on."""
        return fingerprint(self.source_key, etag, spec)

    def with_watermarks(self, etags: Mapping[str, str]) -> "ConversionJob":
        """Return the job with the ETags of its watermarks, which are given by their paths."""
        outputs = tuple(
            spec.model_copy(update={"watermark_etag": etags.get(spec.target.watermark, "")}) for spec in self.outputs
        )
        return self.model_copy(update={"outputs": outputs})

    def aimed_at(self, point: Point | None) -> "ConversionJob":
        """Return the job of a source that has the focal point *point*, None if it has none."""
        return self.model_copy(update={"outputs": tuple(spec.aimed_at(point) for spec in self.outputs)})

    def is_up_to_date(self, spec: OutputSpec, stored: StoredObject | None) -> bool:
        """Whether an object, None if there is none, is what *spec* would become of the listed source."""
        if stored is None or not has_variants(spec.target, stored.metadata):
            return False
        return stored.metadata.get(FINGERPRINT) == self.fingerprint(self.source_etag, spec)

    def object_metadata(self, etag: str, spec: OutputSpec, size: Size, warning: str) -> dict[str, str]:
        """Return the object metadata of an output of *size*."""
        object_metadata = {
            FINGERPRINT: self.fingerprint(etag, spec),
            SOURCE: self.source_id,
            RUN: self.run_id,
            SIZE: f"{size[0]}x{size[1]}",
        }
        return {**object_metadata, WARNING: quote(warning[:_MAX_WARNING_LENGTH])} if warning else object_metadata

    @property
    def source_id(self) -> str:
        """Distinguishes this source from others of the same name."""
        return source_digest(self.source_key)


def source_digest(source_key: str) -> str:
    """Return what the metadata of an output say of its source."""
    return _digest(source_key)


def stored_size(object_metadata: Mapping[str, str]) -> Size | None:
    """Return width and height of an output in pixels, None if it was stored without them."""
    found = _SIZE.fullmatch(object_metadata.get(SIZE, ""))
    return (int(found[1]), int(found[2])) if found else None


def made_output(path: str, etag: str, object_metadata: Mapping[str, str]) -> MadeOutput:
    """Return what the output index keeps of an output; the variants follow the fingerprint."""
    made_of = " ".join(filter(None, map(object_metadata.get, (FINGERPRINT, VARIANTS))))
    return MadeOutput(path, IndexedOutput(made_of, etag, object_metadata.get(RUN, "")))


def indexed_variants(entry: IndexedOutput, made_of: str, target: Target) -> dict[VariantType, int] | None:
    """Return which of the variants that *target* wants an output of the index has, with their bytes.

    None if it has another fingerprint than *made_of*, or not all were tried.
    """
    found, _, text = entry.fingerprint.partition(" ")
    if not target.variants:
        return {} if found == made_of else None
    recorded = {VARIANTS: text}
    if found != made_of or not has_variants(target, recorded):
        return None
    return {each: size for each, size in variant_sizes(recorded).items() if size and each in target.variants}


def has_variants(target: Target, object_metadata: Mapping[str, str]) -> bool:
    """Whether all variants that *target* wants were tried for an output."""
    return variant_sizes(object_metadata).keys() >= set(target.variants)


class OutputOutcome(BaseModel):
    """The outcome of one output."""

    model_config = ConfigDict(frozen=True)

    status: Status
    message: str
    """"success", or the reason of a warning or error."""
    path: str
    """Path in the target tree; filled for errors too."""
    size: int = 0
    """Bytes."""
    width: int = 0
    """In pixels; 0 if nothing was made, or by a release that did not record it."""
    height: int = 0
    seconds: float = 0.0


def up_to_date(path: str, size: int) -> OutputOutcome:
    """Return the outcome of an output of *size* bytes that need not be made."""
    return OutputOutcome(status="skipped", message="The output is up to date.", path=path, size=size)


class ConversionOutcome(BaseModel):
    """The outcome of a job: one for each output in the order of the job, or a temporary failure."""

    model_config = ConfigDict(frozen=True)

    outputs: tuple[OutputOutcome, ...] = ()
    unavailable: str = ""
    """Why the job could not be executed now; "" if it was."""
    made: tuple[MadeOutput, ...] = Field(default=(), exclude=True)
    """The outputs of a job of a run, for the output index; not part of replies."""

    @property
    def worst(self) -> Status:
        """The worst status of an output; "skipped" only if all are."""
        return max((output.status for output in self.outputs), key=_SEVERITY.index, default="skipped")


class FormatResult(NamedTuple):
    """An image format and the outcome of its output."""

    format: ImageFormat
    outcome: OutputOutcome


def uniform_outcome(job: ConversionJob, status: Status, reason: str) -> ConversionOutcome:
    """Return the outcome of a job whose outputs all have the same *status* and *reason*."""
    return ConversionOutcome(
        outputs=tuple(OutputOutcome(status=status, message=reason, path=spec.expected_path) for spec in job.outputs)
    )


def output_specs(
    source_path: str, formats: Sequence[ImageFormat], watermarks: Mapping[str, str] | None = None
) -> tuple[OutputSpec, ...]:
    """Return the outputs of the source at *source_path*; they keep only its file name.

    *watermarks* are the ETags of those that exist, by their paths; only fingerprints need them.
    """
    name = source_path.rsplit("/", 1)[-1]
    etags = watermarks or {}
    return tuple(
        OutputSpec(
            target=f.as_target(),
            directory=f.target_directory,
            name=name,
            format=f.id,
            watermark_etag=etags.get(f.watermark, ""),
        )
        for f in formats
    )


def check_names(source_paths: Iterable[str], formats: Sequence[ImageFormat]) -> None:
    """Raise InvalidValue if one of the names is too long for the extension that an output is going to get."""
    for path in source_paths:
        for spec in output_specs(path, formats):
            if not spec.has_room(spec.expected_output):
                extension = OUTPUT_TYPES[spec.expected_output].extensions[0]
                reason = f"The name {quoted(spec.name)} is too long for the extension {extension}."
                raise InvalidValue(reason, field="fileName")


def fingerprint(source_key: str, etag: str, spec: OutputSpec) -> str:
    """Return a fingerprint of everything that an output depends on."""
    return fingerprints(spec)(source_key, etag)


def fingerprints(spec: OutputSpec) -> Callable[[str, str], str]:
    """Return a function that makes the fingerprints of outputs like *spec*, by key and ETag of their sources."""
    described = spec.target.model_dump_json(exclude_defaults=True, exclude={"variants"})
    watermark = [spec.watermark_etag] if spec.watermark_etag else []
    return lambda source_key, etag: _digest(ENGINE_VERSION, source_key, etag, described, *watermark)


def expected_name(target: Target, source_name: str) -> str:
    """Return the name that the output of a source has, as far as it can be known before the conversion."""
    return with_extension(source_name, OUTPUT_TYPES[_expected_output(target, source_name)].extensions)


def _expected_output(target: Target, name: str) -> OutputType:
    if target.output == "auto":
        return "jpeg"
    return KEPT_AS.get(suffix(name), "png") if target.output == "keep" else target.output


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


async def convert_now(
    queue: JobQueue, source_path: str, formats: Sequence[ImageFormat], *, client: Client, limit: int, seconds: float
) -> list[FormatResult]:
    """Convert a stored source to *formats* while the *client* waits, at most *seconds*.

    Raises QueueFull if *limit* conversions are waiting or running, StoreUnavailable if the worker could not reach the
    store, ConversionFailed if there was no reply in time, NotConverted if no output could be made.
    """
    job = client_job(source_path, output_specs(source_path, formats), client)
    outcomes = await run_client_job(queue, job, client=client, limit=limit, seconds=seconds)
    return [FormatResult(f, output) for f, output in zip(formats, outcomes, strict=True)]


def client_job(
    source_path: str, outputs: tuple[OutputSpec, ...], client: Client, *, is_example: bool = False
) -> ConversionJob:
    """Return the job that converts a stored source for a *client* that waits."""
    return ConversionJob(
        id=uuid4().hex,
        source_key=keys.source(source_path),
        outputs=outputs,
        owner=client.owner,
        waited=True,
        is_example=is_example,
    )


async def run_client_job(
    queue: JobQueue, job: ConversionJob, *, client: Client, limit: int, seconds: float
) -> tuple[OutputOutcome, ...]:
    """Run a job while the *client* waits; returns the outcomes of its outputs. Raises what `convert_now` does."""
    await queue.enqueue(
        QueueName.INTERACTIVE, TASK, job.id, job.model_dump(exclude_defaults=True), limit=limit, waited=True
    )
    outcome = ConversionOutcome.model_validate(await queue.wait(job.id, seconds=seconds, has_left=client.has_left))
    if outcome.unavailable:
        raise StoreUnavailable(outcome.unavailable)
    if all(output.status == "error" for output in outcome.outputs):
        raise NotConverted(outcome.outputs[0].message)
    return outcome.outputs
