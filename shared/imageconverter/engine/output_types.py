"""The output types, one record for each, and the result of a target."""

from dataclasses import dataclass
from typing import NamedTuple

from imageconverter.engine.target import OutputType, VariantType

Size = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class OutputTypeInfo:
    """A file type that can be written."""

    media_type: str
    extensions: tuple[str, ...]
    """The first one is used for new names."""
    alpha: bool = True
    soft_alpha: bool = True
    """Whether a pixel can be partly transparent."""
    animation: bool = True
    metadata: bool = True
    """Whether EXIF and an ICC profile can be in it."""
    resolution: bool = False
    """Whether its own header can say how many pixels an inch has."""
    lossy: bool = False
    """Whether a lower quality makes a smaller file."""


OUTPUT_TYPES: dict[OutputType, OutputTypeInfo] = {
    "jpeg": OutputTypeInfo(
        media_type="image/jpeg",
        extensions=(".jpg", ".jpeg", ".jpe", ".jfif"),
        alpha=False,
        soft_alpha=False,
        animation=False,
        resolution=True,
        lossy=True,
    ),
    "png": OutputTypeInfo(media_type="image/png", extensions=(".png",), resolution=True),
    "webp": OutputTypeInfo(media_type="image/webp", extensions=(".webp",), lossy=True),
    "avif": OutputTypeInfo(media_type="image/avif", extensions=(".avif",), lossy=True),
    "gif": OutputTypeInfo(media_type="image/gif", extensions=(".gif",), soft_alpha=False, metadata=False),
}


class Variant(NamedTuple):
    """A finished output in another file type."""

    output: VariantType
    data: bytes


class Converted(NamedTuple):
    """A finished output."""

    data: bytes
    output: OutputType
    size: Size
    seconds: float
    warning: str
    """What the output lost, or ""."""
    variants: tuple[Variant, ...] = ()
    """Those that are smaller."""


class Failed(NamedTuple):
    """An output that failed, with its reason."""

    reason: str
