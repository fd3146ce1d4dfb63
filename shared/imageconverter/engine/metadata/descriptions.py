"""Descriptions of the values of tags: `1/125 sec`, `f/2.8`, `52° 31' 12"`.

The wording is that of the library metadata-extractor, which the original uses. Other values are formatted as they
are.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from fractions import Fraction

from imageconverter.engine.metadata import words

Number = int | float | Fraction | None
"""None is an undefined number, such as 0/0."""
Value = Number | str | tuple[Number, ...]
Tags = dict[int, Value]
"""The values of one group by tag."""

_Rule = Callable[[int, Tags], str]


def describe(group: str, tag: int, tags: Tags) -> str:
    """Describe one of the *tags* of a *group*."""
    return _describe(tag, tags, _WORDS.get(group, {}), _RULES[group])


def _describe(tag: int, tags: Tags, words_of: Mapping[int, words.Words], rules: Mapping[int, _Rule]) -> str:
    value = tags[tag]
    if tag in words_of:
        return _word(value, words_of[tag])
    if tag in rules:
        with suppress(
            ArithmeticError, ValueError, TypeError, IndexError
        ):  # an unexpected value is formatted as it is
            return rules[tag](tag, tags)
    return _plain(value)


def _word(value: Value, known: words.Words) -> str:
    code = value.upper() if isinstance(value, str) else value
    return known.get(code, "") if isinstance(code, int | str) and code in known else f"Unknown ({_plain(value)})"


# --- numbers ------------------------------------------------------------------------------------
def _plain(value: Value) -> str:
    if isinstance(value, tuple):
        return " ".join(_plain(each) for each in value)
    if isinstance(value, Fraction):
        return _ratio(value)
    return "?" if value is None else str(value)


def _ratio(value: Fraction) -> str:
    """Format a rational as a short decimal (0.5) or else as a fraction (1/125)."""
    decimal = repr(float(value))
    return str(value) if value.denominator == 1 or len(decimal) >= len("0.000") else decimal


def _decimal(value: Value, *, places: int, least: int = 0) -> str:
    """Format a number with at most *places* and at least *least* decimal places."""
    whole, _, rest = f"{float(_exactly(value)):.{places}f}".partition(".")
    rest = rest.rstrip("0").ljust(least, "0")
    return f"{whole}.{rest}" if rest else whole


def _exactly(value: Value) -> Fraction:
    if isinstance(value, int | float | Fraction):
        return Fraction(value)
    raise TypeError("not a number")


def _several(value: Value) -> tuple[Fraction, ...]:
    if isinstance(value, tuple):
        return tuple(_exactly(each) for each in value)
    raise TypeError("not numbers")


def _with(unit: str) -> _Rule:
    return lambda tag, tags: f"{_plain(tags[tag])} {unit}"


def _version(major: int) -> _Rule:
    """Format four digits as a version with *major* of them before the dot: 0230 is 2.30."""

    def rule(tag: int, tags: Tags) -> str:
        value = tags[tag]
        digits = value if isinstance(value, str) else "".join(str(each) for each in _several(value))
        return f"{digits[:major].removeprefix('0')}.{digits[major:4]}"

    return rule


# --- the group Exif -----------------------------------------------------------------------------
def _per(unit: int) -> _Rule:
    """Format a resolution in the unit of the tag *unit*."""
    return lambda tag, tags: f"{_plain(tags[tag])} dots per {_unit(unit, tags, words.EXIF) or 'unit'}"


def _pitch(unit: int) -> _Rule:
    """Format a resolution as the distance between two dots."""
    return lambda tag, tags: f"{_ratio(1 / _exactly(tags[tag]))} {_unit(unit, tags, words.EXIF)}".rstrip()


def _unit(tag: int, tags: Tags, words_of: Mapping[int, words.Words]) -> str:
    return _word(tags[tag], words_of[tag]).lower() if tag in tags else ""


def _f_number(tag: int, tags: Tags) -> str:
    return f"f/{_decimal(tags[tag], places=1, least=1)}"


def _aperture(tag: int, tags: Tags) -> str:
    return f"f/{_decimal(2 ** float(_exactly(tags[tag]) / 2), places=1, least=1)}"


def _shutter_speed(tag: int, tags: Tags) -> str:
    exponent = float(_exactly(tags[tag]))
    if exponent <= 1:
        return f"{_decimal(2**-exponent, places=1, least=1)} sec"
    return f"1/{int(2**exponent)} sec"


def _bits_per_pixel(tag: int, tags: Tags) -> str:
    return f"{_plain(tags[tag])} bit{'s' * (tags[tag] != 1)}/pixel"


def _components(tag: int, tags: Tags) -> str:
    letters = ("", "Y", "Cb", "Cr", "R", "G", "B")
    return "".join(letters[int(each)] for each in _several(tags[tag])[:4])


def _subsampling(tag: int, tags: Tags) -> str:
    horizontal, vertical = _several(tags[tag])
    return {(2, 1): "YCbCr4:2:2", (2, 2): "YCbCr4:2:0"}.get((int(horizontal), int(vertical)), "(Unknown)")


def _black_and_white(tag: int, tags: Tags) -> str:
    levels = [int(each) for each in _several(tags[tag])]
    return f"[{levels[0]},{levels[2]},{levels[4]}] [{levels[1]},{levels[3]},{levels[5]}]"


def _flash(tag: int, tags: Tags) -> str:
    bits = int(_exactly(tags[tag]))
    words = ["Flash fired" if bits & 1 else "Flash did not fire"]
    if bits & 4:
        words.append("return detected" if bits & 2 else "return not detected")
    words += ["auto"] * bool(bits & 16) + ["red-eye reduction"] * bool(bits & 64)
    return ", ".join(words)


def _zoom(tag: int, tags: Tags) -> str:
    return _decimal(tags[tag], places=1) if tags[tag] else "Digital zoom not used"


def _film_focal_length(tag: int, tags: Tags) -> str:
    return f"{_decimal(tags[tag], places=1)}mm" if tags[tag] else "Unknown"


def _lens(tag: int, tags: Tags) -> str:
    """Format the shortest and longest focal length, and the widest aperture at each."""
    value = tags[tag]
    shortest, longest, *apertures = value if isinstance(value, tuple) else ()
    lens = f"{_span(shortest, longest, places=2)}mm"
    return f"{lens} f/{_span(*apertures, places=1)}" if all(apertures) else lens


def _span(first: Number, last: Number, *, places: int) -> str:
    ends = (_decimal(first, places=places), _decimal(last, places=places))
    return "-".join(dict.fromkeys(ends))


_EXIF_RULES: Mapping[int, _Rule] = {
    0x0002: _version(2),
    0x0100: _with("pixels"),
    0x0101: _with("pixels"),
    0x0102: _with("bits/component/pixel"),
    0x0115: _with("samples/pixel"),
    0x0116: _with("rows/strip"),
    0x0117: _with("bytes"),
    0x011A: _per(0x0128),
    0x011B: _per(0x0128),
    0x0212: _subsampling,
    0x0214: _black_and_white,
    0x829A: _with("sec"),
    0x829D: _f_number,
    0x9000: _version(2),
    0x9101: _components,
    0x9102: _bits_per_pixel,
    0x9201: _shutter_speed,
    0x9202: _aperture,
    0x9204: _with("EV"),
    0x9205: _aperture,
    0x9206: lambda tag, tags: f"{_decimal(tags[tag], places=3, least=1)} metres",
    0x9209: _flash,
    0x920A: lambda tag, tags: f"{_decimal(tags[tag], places=3)} mm",
    0xA000: _version(2),
    0xA002: _with("pixels"),
    0xA003: _with("pixels"),
    0xA20E: _pitch(0xA210),
    0xA20F: _pitch(0xA210),
    0xA404: _zoom,
    0xA405: _film_focal_length,
    0xA432: _lens,
}


# --- the group GPS ------------------------------------------------------------------------------
def _degrees(reference: int, negative: str) -> _Rule:
    """Format degrees, minutes and seconds, negative if the value of the tag *reference* is *negative*."""

    def rule(tag: int, tags: Tags) -> str:
        degrees, minutes, seconds = _several(tags[tag])
        hundredths = round((degrees * 3600 + minutes * 60 + seconds) * 100)
        sign = "-" * (str(tags.get(reference)).upper() == negative)
        minutes_in_all, rest = divmod(hundredths, 6000)
        return (
            f"{sign}{minutes_in_all // 60}\N{DEGREE SIGN} {minutes_in_all % 60}' "
            f'{_decimal(Fraction(rest, 100), places=2)}"'
        )

    return rule


def _measured(unit: int) -> _Rule:
    """Format a number with the unit of the tag *unit*."""
    return lambda tag, tags: f"{_decimal(tags[tag], places=2)} {_unit(unit, tags, words.GPS) or 'unit'}"


def _in(unit: str) -> _Rule:
    return lambda tag, tags: f"{_decimal(tags[tag], places=2)} {unit}".strip()


def _time(tag: int, tags: Tags) -> str:
    hours, minutes, seconds = _several(tags[tag])
    return f"{int(hours):02}:{int(minutes):02}:{float(seconds):06.3f} UTC"


_GPS_RULES: Mapping[int, _Rule] = {
    0x00: _version(1),
    0x02: _degrees(0x01, "S"),
    0x04: _degrees(0x03, "W"),
    0x06: _in("metres"),
    0x07: _time,
    0x0B: _in(""),
    0x0D: _measured(0x0C),
    0x0F: _in("degrees"),
    0x11: _in("degrees"),
    0x14: _degrees(0x13, "S"),
    0x16: _degrees(0x15, "W"),
    0x18: _in("degrees"),
    0x1A: _measured(0x19),
}

# --- all groups ---------------------------------------------------------------------------------
_WORDS: Mapping[str, Mapping[int, words.Words]] = {"Exif": words.EXIF, "GPS": words.GPS}
_RULES: Mapping[str, Mapping[int, _Rule]] = {
    "Header": {0x9001: _with("pixels"), 0x9002: _with("pixels")},
    "File": {0x0002: _with("bytes")},
    "Exif": _EXIF_RULES,
    "GPS": _GPS_RULES,
    "Thumbnail": {0x0201: _with("bytes"), 0x0202: _with("bytes")},
}
