"""The grammar of a preview format: `auto:200x150~cover@75`.

It is that of the ImageConverter's `requestFormat` and `targetFormats` in its documentation and published parser:
whatever does not match is ignored, and nothing is an error.
"""

import re
from typing import Literal, NamedTuple, get_args
from urllib.parse import unquote

PreviewType = Literal["auto", "jpg", "png"]
ScaleType = Literal["contain", "cover", "containforcedimension", "coverandcrop"]

_DEFAULT_QUALITY = 75
_MAX_INTEGER = 2**31 - 1  # as in the published parser; larger numbers are invalid
_INTEGER = re.compile(r"[+-]?0*(\d{1,10})")
_SEPARATORS = re.compile("[,;]")


class PreviewFormat(NamedTuple):
    """The size, type and scaling of a preview; equal formats make equal previews."""

    type: PreviewType = "jpg"
    width: int | None = None
    """Width of the box in pixels; None if it is free."""
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
    """Parse one format, `TYPE:WIDTHxHEIGHT[~SCALETYPE][~norotate][~expand][@QUALITY]`; never fails.

    *text* is the path segment, percent-decoded or not, so that formats that were encoded twice are accepted as well.
    Unlike in the published parser, which uses 75 for every quality by mistake, the quality is used as documented.
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
    """Parse formats separated by commas or semicolons, without duplicates; empty parts are ignored."""
    parts = (part for part in _SEPARATORS.split(unquote(text)) if part.strip())
    return tuple(dict.fromkeys(parse(part) for part in parts))


def _extents(text: str) -> tuple[int | None, int | None]:
    """Parse `WxH`, `W`, `Wx` or `xH`; if the width is invalid, the height is ignored as well."""
    wide, _, high = text.partition("x")
    width, height = _integer(wide), _integer(high)
    if wide and width is None:
        return None, None
    return _positive(width), _positive(height)


def _positive(number: int | None) -> int | None:
    return number if number is not None and number > 0 else None


def _scale(options: list[str]) -> ScaleType:
    """Return the scale type of the last option that has one; the default is `contain`."""
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
    """Parse a signed 32-bit integer; None if it is invalid."""
    found = _INTEGER.fullmatch(text)
    if found is None or (number := int(found[1])) > _MAX_INTEGER:
        return None
    return -number if text.startswith("-") else number
