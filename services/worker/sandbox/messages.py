"""What a child is asked and what it answers, as JSON.

An answer is read like a stranger's: a hostile image may have taken the child over.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BaseModel, BeforeValidator, Field, PositiveInt

from imageconverter import errors
from imageconverter.engine import Converted, Failed, OutputType, Target
from imageconverter.errors import ImageError

_MAX_METADATA = 64 * 1024  # characters of JSON; cameras write a tenth of that
_MAX_REASON = 500  # characters; some errors of the decoders quote the file


def _printable(text: object) -> str:
    return str(text)[:_MAX_REASON].encode(errors="replace").decode()


_Reason = Annotated[str, BeforeValidator(_printable)]


class Reply(NamedTuple):
    """What a child has made of an image."""

    results: list[Converted | Failed]
    metadata: dict[str, dict[str, dict[str, Any]]]


class Request(BaseModel):
    """What to make of the image that goes along."""

    targets: list[Target]
    pixels: int
    """The most that the image may have."""
    seconds: float
    """Of CPU time that it may take."""
    metadata: bool = False
    """Whether to tell what the file says of itself."""


class Made(BaseModel):
    """An output that was made; its bytes follow those of the one before in the memory file."""

    bytes: int = Field(ge=0)
    output: OutputType
    size: tuple[PositiveInt, PositiveInt]
    seconds: float = Field(ge=0, allow_inf_nan=False)
    warning: _Reason


class NotMade(BaseModel):
    """An output that could not be made."""

    reason: _Reason


class Refused(BaseModel):
    """The image as a whole cannot be converted."""

    error: Literal["Undecodable", "NotAnImage", "ImageTooLarge", "ObjectTooLarge", "LimitExceeded"]
    reason: _Reason

    @classmethod
    def because(cls, error: ImageError) -> Self:
        """Describe *error*."""
        return cls.model_validate({"error": type(error).__name__, "reason": error.reason})

    def as_error(self) -> ImageError:
        """Return the error that was described."""
        kind: type[ImageError] = getattr(errors, self.error)
        return kind(self.reason)


class Response(BaseModel):
    """One for each image."""

    outcome: Refused | list[Made | NotMade]
    metadata: dict[str, dict[str, dict[str, Any]]] = {}

    @classmethod
    def of(cls, results: Sequence[Converted | Failed], metadata: Mapping[str, Any]) -> Self:
        """Describe *results*; of too much *metadata* only the short groups."""
        if len(json.dumps(metadata)) > _MAX_METADATA:
            metadata = {name: metadata[name] for name in ("Header", "File") if name in metadata}
        return cls(
            metadata=dict(metadata),
            outcome=[
                NotMade(reason=result.reason)
                if isinstance(result, Failed)
                else Made(bytes=len(result.data), **result._asdict())
                for result in results
            ],
        )
