"""What comes out: the output types, and what became of a target."""

from dataclasses import dataclass
from typing import NamedTuple

from imageconverter.engine.target import OutputType

Size = tuple[int, int]


@dataclass(frozen=True)
class OutputTypeInfo:
    """How an output type is called outside, and what it can hold."""

    media_type: str
    extensions: tuple[str, ...]
    """The first one is given to new names."""
    alpha: bool = True
    soft_alpha: bool = True
    """Whether a pixel can be half transparent."""
    animation: bool = True


OUTPUT_TYPES: dict[OutputType, OutputTypeInfo] = {
    "jpeg": OutputTypeInfo(
        "image/jpeg", (".jpg", ".jpeg", ".jpe", ".jfif"), alpha=False, soft_alpha=False, animation=False
    ),
    "png": OutputTypeInfo("image/png", (".png",)),
    "webp": OutputTypeInfo("image/webp", (".webp",)),
    "avif": OutputTypeInfo("image/avif", (".avif",)),
    "gif": OutputTypeInfo("image/gif", (".gif",), soft_alpha=False),
}


class Converted(NamedTuple):
    """One output that was made."""

    data: bytes
    output: OutputType
    size: Size
    seconds: float
    warning: str
    """What was lost, or ""."""


class Failed(NamedTuple):
    """One output that could not be made, and why."""

    reason: str
