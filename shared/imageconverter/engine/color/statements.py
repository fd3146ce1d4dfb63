"""What a file can say about its colors."""

from dataclasses import dataclass
from typing import NamedTuple

from imageconverter.engine.color.primaries import Primaries


class UnusableError(Exception):
    """A statement on colors that cannot be used; its text says why, as the second half of a sentence."""


class CodePoints(NamedTuple):
    """A color space by the numbers of ITU-T H.273."""

    primaries: int
    transfer: int
    matrix: int = 0
    full_range: int = 1


@dataclass(frozen=True)
class Statements:
    """All that a file says; several of these may be there and contradict each other."""

    icc_profile: bytes = b""
    code_points: CodePoints | None = None
    is_srgb: bool = False
    """Whether it says so itself."""
    gamma: float = 0.0
    """Exponent from linear light to the stored values, 0 if there is none."""
    primaries: Primaries | None = None
    peak: float = 0.0
    """Luminance of the brightest pixel in nits, 0 if it is unknown."""
