"""The requests to a sandbox process and its responses, as JSON.

A response is untrusted input: a hostile image may control the process.
"""

import json
from collections.abc import Mapping, Sequence
from traceback import walk_tb
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BaseModel, BeforeValidator, Field, PositiveInt

from imageconverter import errors
from imageconverter.engine import Converted, Failed, OutputType, Target
from imageconverter.engine.facts import Facts
from imageconverter.engine.target import VariantType
from imageconverter.errors import ImageError

_MAX_METADATA = 64 * 1024  # characters of JSON; cameras write a tenth of that
MAX_FRAMES = 8
_MAX_REASON = 500  # characters; some errors of the decoders quote the file


def _printable(text: object) -> str:
    return str(text)[:_MAX_REASON].encode(errors="replace").decode()


_Reason = Annotated[str, BeforeValidator(_printable)]


class Reply(NamedTuple):
    """The results of one image."""

    results: list[Converted | Failed]
    metadata: dict[str, dict[str, dict[str, Any]]]
    facts: Facts | None = None


class Request(BaseModel):
    """What to convert the image to that is sent along."""

    targets: list[Target]
    pixels: int
    """The maximum of the image."""
    truncated: bool = True
    """Whether an image that is cut off is converted as far as it goes."""
    metadata: bool = False
    """Whether to read the metadata too."""
    facts: bool = False
    """Whether to read the facts too."""
    watermarks: dict[str, int] = {}
    """The bytes of each watermark by its path, as they follow each other in their memory file."""


class MadeVariant(BaseModel):
    """A variant of an output; its bytes follow those of the output, or of the variant before."""

    bytes: int = Field(ge=0)
    output: VariantType


class Made(BaseModel):
    """An output; its bytes follow those of the one before in the memory file."""

    bytes: int = Field(ge=0)
    output: OutputType
    size: tuple[PositiveInt, PositiveInt]
    seconds: float = Field(ge=0, allow_inf_nan=False)
    warning: _Reason
    variants: tuple[MadeVariant, ...] = ()

    @classmethod
    def of(cls, result: Converted) -> Self:
        """Describe *result*."""
        variants = tuple(MadeVariant(bytes=len(each.data), output=each.output) for each in result.variants)
        return cls(bytes=len(result.data), **{**result._asdict(), "variants": variants})

    @property
    def sizes(self) -> list[int]:
        """The bytes of the output and of its variants, in their order."""
        return [self.bytes, *(each.bytes for each in self.variants)]


class NotMade(BaseModel):
    """An output that could not be made."""

    reason: _Reason


class Refused(BaseModel):
    """The image as a whole cannot be converted."""

    error: Literal["Undecodable", "NotAnImage", "Unsupported", "ImageTooLarge", "ObjectTooLarge", "LimitExceeded"]
    reason: _Reason

    @classmethod
    def because(cls, error: ImageError) -> Self:
        """Describe *error*."""
        return cls.model_validate({"error": type(error).__name__, "reason": error.reason})

    def as_error(self) -> ImageError:
        """Return the error that was described."""
        kind: type[ImageError] = getattr(errors, self.error)
        return kind(self.reason)


class CallRefused(BaseModel):
    """The kernel refused a system call during the conversion: a fault of the sandbox, not of the image."""

    frames: Annotated[list[_Reason], Field(max_length=MAX_FRAMES)]
    """The innermost Python frames, the innermost one last."""

    @classmethod
    def because(cls, error: PermissionError) -> Self:
        """Describe where *error* was raised, without the lines of code: that would take reading files."""
        frames = [
            f"{code.co_filename}:{line} {code.co_qualname}"
            for code, line in ((frame.f_code, line) for frame, line in walk_tb(error.__traceback__))
        ]
        return cls(frames=frames[-MAX_FRAMES:])


class Response(BaseModel):
    """One for each image."""

    outcome: Refused | CallRefused | list[Made | NotMade]
    metadata: dict[str, dict[str, dict[str, Any]]] = {}
    facts: Facts | None = None

    @classmethod
    def of(
        cls, results: Sequence[Converted | Failed], metadata: Mapping[str, Any], facts: Facts | None = None
    ) -> Self:
        """Describe *results*; too much *metadata* is reduced to the short groups."""
        if len(json.dumps(metadata)) > _MAX_METADATA:
            metadata = {name: metadata[name] for name in ("Header", "File") if name in metadata}
        return cls(
            metadata=dict(metadata),
            facts=facts,
            outcome=[
                NotMade(reason=result.reason) if isinstance(result, Failed) else Made.of(result) for result in results
            ],
        )
