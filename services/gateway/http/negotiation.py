"""Which variant of an image a client prefers, by its `Accept` header (RFC 9110, 12.5.1)."""

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Final

from imageconverter.engine import OUTPUT_TYPES, OutputType
from imageconverter.engine.target import VariantType

_QUALITY: Final = re.compile(r"(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)")
_MAX_LENGTH: Final = 1000  # characters that are read; browsers send less than 200


def names_any(accept: str, variants: Collection[VariantType]) -> bool:
    """Whether the header may select one of *variants*."""
    named = _qualities(accept[:_MAX_LENGTH])
    return any(named.get(OUTPUT_TYPES[each].media_type) for each in variants)


def preferred(accept: str, output: OutputType, variants: Mapping[VariantType, int]) -> VariantType | None:
    """Return which of *variants*, given with their bytes, the client prefers to an *output*; None for the output.

    Of several with the highest quality value it is the smallest. Only a variant that the header names counts:
    programs that accept everything do not show all of it.
    """
    named = _qualities(accept[:_MAX_LENGTH])
    of_output = next(
        (named[each] for each in (OUTPUT_TYPES[output].media_type, "image/*", "*/*") if each in named), 0.0
    )
    wanted = {each: named.get(OUTPUT_TYPES[each].media_type, 0.0) for each in variants}
    allowed = [each for each, quality in wanted.items() if quality > 0 and quality >= of_output]
    return max(allowed, key=lambda each: (wanted[each], -variants[each]), default=None)


@lru_cache(maxsize=256)  # browsers send few different ones
def _qualities(accept: str) -> Mapping[str, float]:
    """Return the quality values of media ranges; those with an invalid quality value are ignored."""
    found: dict[str, float] = {}
    for each in accept.split(","):
        media_range, *parameters = (part.strip().lower() for part in each.split(";"))
        given = [part[2:].strip() for part in parameters if part.startswith("q=")]
        if all(map(_QUALITY.fullmatch, given)):
            quality = float(given[0]) if given else 1.0
            found[media_range] = max(quality, found.get(media_range, 0.0))
    return found
