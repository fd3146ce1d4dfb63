"""Runs: their definition, their status and the results of their sources."""

import re
import secrets
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Final, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict

from imageconverter import keys
from imageconverter.errors import InvalidValue
from imageconverter.images import directories
from imageconverter.images.conversions import OutputOutcome, Status
from imageconverter.images.image_formats import ImageFormat, ImageFormats, ImageType
from imageconverter.images.names import directory_path
from imageconverter.images.output_index import MadeOutput
from imageconverter.quoting import quoted
from imageconverter.storage.bounded import bounded
from imageconverter.storage.store import ObjectStore

State = Literal["running", "finished", "canceled", "error"]

_ID = re.compile("[A-Za-z0-9-]{1,64}")
_MAX_SELECTION: Final = 1000
_WORST_FIRST: tuple[Status, ...] = ("error", "warning", "skipped", "success")


class Batch(BaseModel):
    """A source directory, or some sources, and the image formats to which these images are converted."""

    model_config = ConfigDict(frozen=True)

    directory: str
    """"" for a batch of sources."""
    formats: tuple[ImageFormat, ...]
    sources: tuple[str, ...] = ()
    """Paths in the order of their keys; if there are none, all below the directory are converted."""


class Run(BaseModel):
    """The definition of a run. It has its own copy of the formats, so a change of the formats file has no effect."""

    model_config = ConfigDict(frozen=True)

    id: str
    action: str
    batches: tuple[Batch, ...]
    formats: tuple[str, ...]
    """Node ids in the order of the request."""
    started_by: str = ""
    """`key NAME` or `user NAME`; "" if a release before has started it."""
    retry_of: str = ""
    """The run whose failed sources this one converts; "" if it converts all in the directories of its batches."""
    subshop: str = ""
    """The id of the subshop that it is for; "" for the default one, and for an automatic run, which is for all."""
    automatic: bool = False
    """Whether no person has started it: it runs beside the others, and is never the last run of a client."""

    @property
    def types(self) -> frozenset[ImageType]:
        """The types of the images that the run makes."""
        return frozenset(each.type for batch in self.batches for each in batch.formats)


class RunRequest(BaseModel):
    """The request that starts a run."""

    action: str = ""
    source: str = ""
    formats: tuple[str, ...] = ()
    directory: str = ""
    selection: tuple[str, ...] = ()
    """Paths of sources and source directories."""
    subshop: str = ""
    started_by: str = ""
    id: str = ""
    """Of the run; "" for a new one."""


class Counts(NamedTuple):
    """Numbers by status."""

    error: int = 0
    skipped: int = 0
    success: int = 0
    warning: int = 0

    @classmethod
    def of_names(cls, numbers: Mapping[str, int]) -> Self:
        """Return the *numbers*, without those of a status that this release does not know."""
        return cls(*(numbers.get(name, 0) for name in cls._fields))

    @classmethod
    def of_outputs(cls, results: "Iterable[SourceResult]") -> Self:
        """Return the numbers of the outputs of *results*."""
        found: Counter[str] = Counter(outcome.status for result in results for _, outcome in result.outputs)
        return cls.of_names(found)


class RunStatus(NamedTuple):
    """The state and the counters of a run; times are seconds of Redis's clock since 1970."""

    run: Run
    state: State
    sources: Counts
    outputs: Counts
    sources_total: int
    outputs_total: int
    started: int
    ended: int
    """0 while it is running."""
    now: int
    reason: str
    """Reason of the state `error`, else ""."""
    is_counted: bool = False
    """Whether the totals are final."""

    @property
    def is_running(self) -> bool:
        """Whether the run has not ended."""
        return self.state == "running"


class RunSummary(BaseModel):
    """A run that has ended, as the store keeps it."""

    model_config = ConfigDict(frozen=True)

    run: Run
    state: State
    sources: dict[str, int]
    """Numbers by status."""
    outputs: dict[str, int]
    sources_total: int
    outputs_total: int
    started: int
    ended: int
    reason: str = ""
    results: int
    """Number of results in the store."""

    @classmethod
    def of(cls, status: RunStatus, *, results: int) -> Self:
        """Return the summary of a run with *status*, of which *results* are in the store."""
        values = {**status._asdict(), "sources": status.sources._asdict(), "outputs": status.outputs._asdict()}
        del values["now"], values["is_counted"]
        return cls(**values, results=results)

    @property
    def status(self) -> RunStatus:
        """The status of the run, at its end."""
        return RunStatus(
            run=self.run,
            state=self.state,
            sources=Counts.of_names(self.sources),
            outputs=Counts.of_names(self.outputs),
            sources_total=self.sources_total,
            outputs_total=self.outputs_total,
            started=self.started,
            ended=self.ended,
            now=self.ended,
            reason=self.reason,
            is_counted=True,
        )


class SourceResult(BaseModel):
    """The result of one source of a run."""

    model_config = ConfigDict(frozen=True)

    index: int
    source: str
    """Path in the source tree."""
    outputs: tuple[tuple[str, OutputOutcome], ...]
    """Node ids of formats and their outcomes, in the order of the run."""
    made: tuple[MadeOutput, ...] = ()
    """What of them belongs into the output index; only in Redis, until it is there."""

    @property
    def status(self) -> Status:
        """The worst status of the outputs."""
        found = {outcome.status for _, outcome in self.outputs}
        return next((status for status in _WORST_FIRST if status in found), "skipped")


def is_run_id(text: str) -> bool:
    """Whether *text* can be the id of a run, and so part of a key."""
    return _ID.fullmatch(text) is not None


async def create_run(store: ObjectStore, catalog: ImageFormats, request: RunRequest) -> Run:
    """Validate *request* and return its run; raises InvalidValue, StoreUnavailable."""
    formats = _selected(catalog, request.formats)
    match request.source:
        case "directory":
            batches = [Batch(directory=_safe(request.directory), formats=tuple(formats))]
        case "format":
            batches = _by_source_directory(formats)
        case "selection":
            batches = await _selected_batches(store, request.selection, formats)
        case _:
            raise InvalidValue('source must be "directory", "format" or "selection".', field="source")
    for batch in batches:
        if not batch.sources and not await directories.exists(store, "source", batch.directory):
            raise InvalidValue(f"There is no source directory {quoted(batch.directory)}.", field="directory")
    return Run(
        id=request.id or secrets.token_hex(6),
        action=request.action,
        batches=tuple(batches),
        formats=tuple(each.node_id for each in formats),
        subshop=request.subshop,
        started_by=request.started_by,
    )


def _selected(catalog: ImageFormats, wanted: Sequence[str]) -> list[ImageFormat]:
    """Return the *wanted* formats, all formats if none is given; raises InvalidValue."""
    if not catalog:
        raise InvalidValue("No formats are configured.", field="formatList")
    return catalog.select(wanted or list(catalog), field="formatList")


async def _selected_batches(
    store: ObjectStore, selection: Sequence[str], formats: Sequence[ImageFormat]
) -> list[Batch]:
    """Return a batch for each directory of a selection, and one for all of its sources."""
    if not 1 <= len(selection) <= _MAX_SELECTION:
        raise InvalidValue(f"selection must have from 1 to {_MAX_SELECTION} entries.", field="selection")
    paths = sorted({directory_path(path, field="selection") for path in selection})
    found = await bounded(partial(store.head, keys.source(path)) for path in paths)
    sources = tuple(path for path, each in zip(paths, found, strict=True) if each and directories.is_file(each))
    batches = [Batch(directory="", formats=tuple(formats), sources=sources)] if sources else []
    others = [path for path in paths if path not in set(sources)]
    return [*batches, *(Batch(directory=path, formats=tuple(formats)) for path in others)]


def _safe(path: str) -> str:
    if not path:
        raise InvalidValue("No source directory was given.", field="directory")
    return directory_path(path.strip("/"), field="directory")


def _by_source_directory(formats: Sequence[ImageFormat]) -> list[Batch]:
    groups: dict[str, list[ImageFormat]] = {}
    for each in formats:
        if not each.source_directory:
            raise InvalidValue(f"The image format {each.node_id} has no source directory.", field="formatList")
        groups.setdefault(each.source_directory, []).append(each)
    return [Batch(directory=directory, formats=tuple(group)) for directory, group in groups.items()]
