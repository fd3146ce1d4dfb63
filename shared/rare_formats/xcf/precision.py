"""The encoding of samples: integer or float, number of bytes, and curve."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np

_FIRST_WITH_CODES = 4
_FIRST_FINAL = 7
_FIRST_BIG_ENDIAN = 12


class Curve(IntEnum):
    """The quantity that samples are proportional to; the last two digits of the codes in the file."""

    LINEAR = 0
    """Light."""
    PROFILE = 50
    """The curve of the color profile; without one, sRGB."""
    PERCEPTUAL = 75
    """The curve of sRGB, regardless of the profile (from GIMP 3 on)."""


_CURVES = tuple(map(int, Curve))
_EIGHT_BITS = 150
_TYPES = {1: "u1", 2: "u2", 3: "u4", 5: "f2", 6: "f4", 7: "f8"}
# Only development versions of GIMP 2.9 wrote these.
_TYPES_OF_5_AND_6 = {1: "u1", 2: "u2", 3: "u4", 4: "f2", 5: "f4"}
_CODES_OF_4 = {0: 150, 1: 250, 2: 300, 3: 400, 4: 500}


@dataclass(frozen=True)
class Precision:
    """The type of every sample in a file."""

    dtype: np.dtype[Any]
    curve: Curve

    @property
    def is_integer(self) -> bool:
        """Whether 1.0 is the largest value, stored with all bits set."""
        return self.dtype.kind == "u"


def precision(version: int, code: int) -> Precision:
    """Return the precision for *code* in a file of *version*; before version 4 there is none. Raises ValueError."""
    types = _TYPES
    if version < _FIRST_WITH_CODES:
        code = _EIGHT_BITS
    elif version < _FIRST_FINAL:
        code, types = _CODES_OF_4.get(code, 0) if version == _FIRST_WITH_CODES else code, _TYPES_OF_5_AND_6
    number, curve = divmod(code, 100)
    if number not in types or curve not in _CURVES:
        raise ValueError(f"precision {code} is not supported")
    # Versions before 12 stored more than 8 bits in the machine's byte order: nearly always little-endian.
    order = "<" if version < _FIRST_BIG_ENDIAN else ">"
    return Precision(np.dtype(order + types[number]), Curve(curve))
