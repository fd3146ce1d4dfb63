"""The job that makes previews, and its outcome."""

import hashlib
from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from imageconverter.engine import Target
from imageconverter.previews.index import Preview
from imageconverter.storage.store import StoredObject

TASK = "make_previews"

_GENERATION_DIGITS = 32


class PreviewJob(BaseModel):
    """A request to make previews of a stored source."""

    model_config = ConfigDict(frozen=True)

    key: str
    generation: str
    formats: tuple[str, ...]
    """In the notation of `PreviewFormat.documented`, or the names of exact formats."""
    targets: tuple[Target, ...] = ()
    """Those of exact formats."""
    context: str = ""
    source_key: str = ""
    """Object key of the source, if the group does not have it itself."""
    source_etag: str = ""
    """That of this source; another one is not converted."""
    is_new: bool = False
    """Whether the first previews create or replace the key's group in one step."""
    background: bool = False
    """Whether no client waits for it."""
    then: tuple[str, ...] = ()
    """Formats that are made afterwards in a background job."""
    owner: str = ""
    waited: bool = False
    """Both as in `ConversionJob`."""

    @property
    def dedup_key(self) -> str:
        """The same for all jobs that make the same previews."""
        return hashlib.sha256("\0".join((self.key, self.generation, *self.formats)).encode()).hexdigest()


class PreviewOutcome(BaseModel):
    """The outcome of a job."""

    model_config = ConfigDict(frozen=True)

    state: Literal["made", "refused", "gone", "unavailable"]
    """refused: the image cannot be converted. gone: the source or its group no longer exists."""
    reason: str = ""
    seconds: float = 0.0
    """Run time of the job."""
    context: str = ""
    """The context that is recorded with the group."""
    previews: Mapping[str, Preview] = {}
    """The previews that were made and are in the index now, by `PreviewFormat.documented`."""


def generation_of_stored(source: StoredObject) -> str:
    """Return the generation of a group that does not have its *source* itself."""
    return generation_of(f"{source.key} {source.etag}".encode())


def generation_of(source: bytes) -> str:
    """Return the generation of *source*, a digest: the same source has the same generation."""
    return hashlib.sha256(source).hexdigest()[:_GENERATION_DIGITS]
