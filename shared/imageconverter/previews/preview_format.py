"""The grammar of a preview format: `auto:200x150~cover@75`.

It is that of the ImageConverter's `requestFormat` and `targetFormats`, as its documentation and its published parser
have it: whatever does not fit is passed over, and nothing is an error.
"""

import re
from typing import Literal, NamedTuple, get_args
from urllib.parse import unquote

PreviewType = Literal["auto", "jpg", "png"]
ScaleType = Literal["contain", "cover", "containforcedimension", "coverandcrop"]

_DEFAULT_QUALITY = 75
_MAX_INTEGER = 2**31 - 1  # the published parser's integers; a longer number is no number
_INTEGER = re.compile(r"[+-]?0*(\d{1,10})")
_SEPARATORS = re.compile("[,;]")


class PreviewFormat(NamedTuple):
    """The size, type and scaling of a preview; equal formats make equal previews."""

    type: PreviewType = "jpg"
    width: int | None = None
    """Of the box in pixels; None where this direction is free."""
    height: int | None = None
    scale: ScaleType = "contain"
    auto_rotate: bool = True
    shrink_only: bool = True
    quality: int = _DEFAULT_QUALITY
    """From 1 to 100."""

    @property
    def documented(self) -> str:
        """The format in the notation of the documentation; `parse` returns the same format."""
        flags = "~norotate" * (not self.auto_rotate) + "~expand" * (not self.shrink_only)
        return f"{self.type}:{self._box}~{self.scale}{flags}@{self.quality}"

    @property
    def _box(self) -> str:
        return f"{self.width or -1}x{self.height or -1}"


def parse(text: str) -> PreviewFormat:
    """Read one format, never with an error: `TYPE:WIDTHxHEIGHT[~SCALETYPE][~norotate][~expand][@QUALITY]`.

    *text* is the segment of the path, decoded or not: a percent sign means nothing else here, so that a client
    that encodes twice is understood as well. The published parser takes every quality for 75, by oversight; here it
    counts, as documented.
    """
    text = unquote(text).strip().lower()
    if not text:
        return PreviewFormat(auto_rotate=False, shrink_only=False)
    kind, colon, rest = text.partition(":")
    form, _, quality = (rest if colon else text).partition("@")
    box, *options = form.split("~")
    width, height = _extents(box)
    return PreviewFormat(
        type=next((known for known in get_args(PreviewType) if known == kind), "jpg"),
        width=width,
        height=height,
        scale=_scale(options),
        auto_rotate=not any("norotate" in option for option in options),
        shrink_only=not any("expand" in option for option in options),
        quality=_quality(quality),
    )


def parse_list(text: str) -> tuple[PreviewFormat, ...]:
    """Read formats between commas or semicolons, each once; what is empty between them is passed over."""
    parts = (part for part in _SEPARATORS.split(unquote(text)) if part.strip())
    return tuple(dict.fromkeys(parse(part) for part in parts))


def _extents(text: str) -> tuple[int | None, int | None]:
    """Read `WxH`, `W`, `Wx` or `xH`; a width that is no number takes the height with it."""
    wide, _, high = text.partition("x")
    width, height = _integer(wide), _integer(high)
    if wide and width is None:
        return None, None
    return _positive(width), _positive(height)


def _positive(number: int | None) -> int | None:
    return number if number is not None and number > 0 else None


def _scale(options: list[str]) -> ScaleType:
    """Return what the last option says that is a scale type; `contain` is what there is without."""
    scale: ScaleType = "contain"
    for option in options:
        if option.startswith("cov"):
            scale = "coverandcrop" if "crop" in option else "cover"
        elif "force" in option or "dimension" in option:
            scale = "containforcedimension"
    return scale


def _quality(text: str) -> int:
    quality = _integer(text)
    return _DEFAULT_QUALITY if quality is None else min(max(quality, 1), 100)


def _integer(text: str) -> int | None:
    """Read a whole number of 32 bits, or None."""
    found = _INTEGER.fullmatch(text)
    if found is None or (number := int(found[1])) > _MAX_INTEGER:
        return None
    return -number if text.startswith("-") else number
