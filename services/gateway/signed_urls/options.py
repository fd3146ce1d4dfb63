"""The options of a signed URL, with the names of imgproxy: `rs:fill:300:200/q:80/f:webp`.

Parsed strictly: what is unknown, stated twice or out of bounds is an error.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from cachetools import LRUCache

from imageconverter.engine import OutputType, Target
from imageconverter.engine.face_extra import finds_faces
from imageconverter.engine.source_types import KEPT_AS
from imageconverter.engine.target import Fit, Focus, VariantType
from imageconverter.errors import InvalidValue
from imageconverter.images.image_formats import ID_PREFIX, ImageFormats
from imageconverter.images.names import suffix
from imageconverter.images.variants import VARIANT_TYPES
from imageconverter.quoting import quoted
from imageconverter.settings import SignedUrlSettings

_MAX_PARSED: Final = 1000
_FIELD: Final = "options"
_LONG_NAMES: Final = {
    "resize": "rs", "size": "s", "resizing_type": "rt", "width": "w", "height": "h", "enlarge": "el", "extend": "ex",
    "gravity": "g", "quality": "q", "background": "bg", "format": "f", "ext": "f", "preset": "pr", "expires": "exp",
    "cachebuster": "cb",
}  # fmt: skip
_ARGUMENTS: Final = {"rs": ("rt", "w", "h", "el"), "s": ("w", "h", "el")}
_PLAIN: Final = frozenset(_LONG_NAMES.values()) - {*_ARGUMENTS, "g"}
_WITH_PRESET: Final = {"pr", "exp", "cb"}
_FITS: Final[Mapping[str, Fit]] = {"fit": "contain", "fill": "crop"}
_OUTPUTS: Final[Mapping[str, OutputType]] = {"jpg": "jpeg", "png": "png", "webp": "webp", "avif": "avif"}
_DEFAULT_QUALITY: Final = 82
_NUMBER: Final = re.compile(r"0|[1-9]\d{0,9}", re.ASCII)
_SHARE: Final = re.compile(r"0(\.\d{1,4})?|1(\.0{1,4})?", re.ASCII)
_COLOR: Final = re.compile(r"[0-9a-fA-F]{6}")
_WORD: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class SignedOptions:
    """What a signed URL asks for."""

    path: str
    """Of the source, as in the URL."""
    target: Target
    variants: tuple[VariantType, ...] = ()
    """Types that the client may get instead, by its `Accept` header."""
    expires: int | None = None
    """Seconds since 1970 from which on the URL is refused."""

    @property
    def output(self) -> OutputType:
        """The type without such a header, as far as it can be known without the source."""
        output = self.target.output
        if output == "keep":
            return KEPT_AS.get(suffix(self.path), "png")
        return "jpeg" if output == "auto" else output


class OptionsParser:
    """Parses options; the results are kept for the next request as long as the image formats are the same."""

    def __init__(self, settings: SignedUrlSettings) -> None:
        """Allow what *settings* allow."""
        self._settings = settings
        self._formats: ImageFormats | None = None
        self._parsed: LRUCache[str, SignedOptions] = LRUCache(_MAX_PARSED)

    def parse(self, text: str, formats: ImageFormats) -> SignedOptions:
        """Do what `parse_options` does; call it for signed texts only, because others would displace them."""
        if formats is not self._formats:
            self._parsed.clear()
            self._formats = formats
        parsed = self._parsed.get(text)
        if parsed is None:
            self._parsed[text] = parsed = parse_options(text, self._settings, formats)
        return parsed


def parse_options(text: str, settings: SignedUrlSettings, formats: ImageFormats) -> SignedOptions:
    """Parse `{options}/{path}`: the options are the segments before the first one without a colon.

    Raises InvalidValue.
    """
    segments = text.split("/")
    count = next((index for index, segment in enumerate(segments) if ":" not in segment), len(segments))
    stated = _stated(segments[:count])
    expires = _number(stated, "exp", range(1, 10**10)) if "exp" in stated else None
    if "cb" in stated and not _WORD.fullmatch(stated["cb"]):
        raise _invalid("cb", "1 to 64 letters, digits, dots, underscores and hyphens")
    path = "/".join(segments[count:])
    if "pr" in stated:
        target, variants = _preset(stated, formats)
    else:
        target, variants = _target(stated, settings)
    return SignedOptions(path, target, variants, expires)


def _stated(segments: Sequence[str]) -> dict[str, str]:
    """Return the arguments by the short names of what they state."""
    stated: dict[str, str] = {}
    for segment in segments:
        name, *arguments = segment.split(":")
        short = _LONG_NAMES.get(name, name)
        if short in _ARGUMENTS:
            names = _ARGUMENTS[short]
        elif short == "g":
            names, arguments = ("g",), [":".join(arguments)]
        elif short in _PLAIN:
            names = (short,)
        else:
            raise InvalidValue(f"There is no option {quoted(name)}.", field=_FIELD)
        if len(arguments) > len(names):
            raise InvalidValue(f"The option {quoted(name)} has too many arguments.", field=_FIELD)
        for each, argument in zip(names, arguments, strict=False):
            if not argument and short in _ARGUMENTS:
                continue
            if each in stated:
                raise InvalidValue(f"The option {quoted(each)} is stated twice.", field=_FIELD)
            stated[each] = argument
    return stated


def _preset(stated: Mapping[str, str], formats: ImageFormats) -> tuple[Target, tuple[VariantType, ...]]:
    if others := sorted(stated.keys() - _WITH_PRESET):
        raise InvalidValue(f"The option {quoted(others[0])} cannot be combined with pr.", field=_FIELD)
    found = formats.get(ID_PREFIX + stated["pr"])
    if found is None:
        raise InvalidValue(f"The image format {quoted(stated['pr'])} is not configured.", field=_FIELD)
    return found.as_target().without_variants, found.variants


def _target(stated: Mapping[str, str], settings: SignedUrlSettings) -> tuple[Target, tuple[VariantType, ...]]:
    """Return the target, both of whose sides are bounded: a free one would let a line become millions of pixels."""
    sides = range(settings.max_side + 1)
    width, height = _number(stated, "w", sides), _number(stated, "h", sides)
    fit = _chosen(stated, "rt", _FITS, "fit")
    if _number(stated, "ex", range(2)):
        if fit != "contain":
            raise InvalidValue("The option ex needs rt:fit.", field=_FIELD)
        fit = "pad"
    if fit != "contain" and not (width and height):
        raise InvalidValue("The options rt:fill and ex need a width and a height.", field=_FIELD)
    background = stated.get("bg", "ffffff")
    if not _COLOR.fullmatch(background):
        raise _invalid("bg", "a color such as ffffff")
    allowed = settings.type_names
    types = {name: output for name, output in _OUTPUTS.items() if name in allowed}
    is_negotiated = stated.get("f") == "auto"
    output = _chosen(stated, "f", types) if "f" in stated and not is_negotiated else "auto"
    target = Target(
        max_width=width or settings.max_side,
        max_height=height or settings.max_side,
        fit=fit,
        focus=_focus(stated.get("g", "ce")),
        focal_point="g" not in stated,
        upscale=bool(_number(stated, "el", range(2))),
        output=output,
        quality=_number(stated, "q", range(1, 101)) if "q" in stated else _DEFAULT_QUALITY,
        background=f"#{background.lower()}",
        animation=False,
    )
    return target, tuple(each for each in VARIANT_TYPES if each in types) if is_negotiated else ()


def _focus(gravity: str) -> Focus:
    match gravity.split(":"):
        case ["ce"]:
            return "centre"
        case ["sm"]:
            return "saliency"
        case ["obj", "face"] if finds_faces():
            return "face"
        case ["fp", x, y] if _SHARE.fullmatch(x) and _SHARE.fullmatch(y):
            return float(x), float(y)
    raise _invalid("g", "ce, sm, fp:X:Y with shares from 0 to 1, or obj:face with the extra faces")


def _number(stated: Mapping[str, str], name: str, allowed: range) -> int:
    text = stated.get(name, "0")
    if not _NUMBER.fullmatch(text) or int(text) not in allowed:
        if name in stated:
            raise _invalid(name, f"a whole number from {allowed[0]} to {allowed[-1]}")
        return 0
    return int(text)


def _chosen(stated: Mapping[str, str], name: str, allowed: Mapping[str, _Value], default: str = "") -> _Value:
    text = stated.get(name, default)
    if text not in allowed:
        raise _invalid(name, f"one of {', '.join(allowed)}")
    return allowed[text]


def _invalid(name: str, allowed: str) -> InvalidValue:
    return InvalidValue(f"The option {name} must be {allowed}.", field=_FIELD)
