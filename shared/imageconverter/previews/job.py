"""The job that makes previews, and what became of it."""

import hashlib
from typing import Literal

from pydantic import BaseModel, ConfigDict

TASK = "make_previews"

_GENERATION_DIGITS = 32


class PreviewJob(BaseModel):
    """Makes previews of one stored source. It carries no image bytes."""

    model_config = ConfigDict(frozen=True)

    key: str
    generation: str
    formats: tuple[str, ...]
    """As `PreviewFormat.documented` writes them."""
    context: str = ""
    is_new: bool = False
    """Whether the key's group is to be made, or replaced, in one step with its first previews."""
    background: bool = False
    """Whether nobody waits for it."""
    then: tuple[str, ...] = ()
    """Formats that are made afterwards, when nobody waits."""

    @property
    def dedup_key(self) -> str:
        """What all jobs have in common that do the same."""
        return hashlib.sha256("\0".join((self.key, self.generation, *self.formats)).encode()).hexdigest()


class PreviewOutcome(BaseModel):
    """What became of a job: the previews are there, or why they are not."""

    model_config = ConfigDict(frozen=True)

    state: Literal["made", "refused", "gone", "unavailable"]
    """refused: the image cannot be converted. gone: the source or its group is not there any more."""
    reason: str = ""
    seconds: float = 0.0
    """What carrying out the job has taken."""


def generation_of(source: bytes) -> str:
    """Return the name of the generation that *source* makes: the same source, the same name."""
    return hashlib.sha256(source).hexdigest()[:_GENERATION_DIGITS]
