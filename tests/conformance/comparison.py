"""How much two images differ, as a viewer sees them on white and on black."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

_STRONG_LEVELS = 24  # of 255: a difference that can be seen in a single pixel


class Difference(NamedTuple):
    """What two images of the same size differ by, on the background on which they differ more."""

    mean: float
    """Levels of 255, over all channels."""
    share: float
    """Of the pixels that differ by more than 24 levels in a channel."""

    @property
    def score(self) -> float:
        """One number to sort by, in levels: a few wrong pixels count as well as a slight shift of all."""
        return self.mean + 100 * self.share


OTHER_SIZE = Difference(255.0, 1.0)
"""Of images that cannot be compared."""


class Tolerance(NamedTuple):
    """Up to what two images count as equal."""

    mean: float
    share: float

    def allows(self, difference: Difference) -> bool:
        """Return whether *difference* is within it."""
        return difference.mean <= self.mean and difference.share <= self.share


EXACT = Tolerance(1.0, 0.002)
"""For types whose pixels are stored exactly. Rounding of colors is allowed for."""
LOSSY = Tolerance(3.0, 0.02)
"""For types whose decoders may round and interpolate colors differently."""
SCALED = Tolerance(4.0, 0.06)
"""For images that were made smaller, by different filters."""

_EXACT_TYPES = frozenset({"PNG", "GIF", "BMP", "ICO", "PNM", "TGA", "XPM", "XCF"})


def tolerance_for(type_name: str, *, is_scaled: bool, is_managed: bool = False) -> Tolerance:
    """Return the tolerance for images of a type.

    They may have been made smaller before they are compared; their colors may have been converted to sRGB.
    """
    if is_scaled:
        return SCALED
    return EXACT if type_name in _EXACT_TYPES and not is_managed else LOSSY


def fits_in(size: tuple[int, int], side: int) -> bool:
    """Return whether an image of *size* is kept at its size in a box of *side* pixels."""
    return max(size) <= side


def compare(own: Image.Image, other: Image.Image, side: int) -> Difference:
    """Compare *own*, which was made to fit a box of *side* pixels, with *other* at its full size; both are RGBA."""
    if fits_in(other.size, side):
        if own.size != other.size:
            return OTHER_SIZE
    else:
        scale = side / max(other.size)
        expected = [max(1, round(length * scale)) for length in other.size]
        if any(abs(length - wanted) > 1 for length, wanted in zip(own.size, expected, strict=True)):
            return OTHER_SIZE
        other = other.convert("RGBa").resize(own.size, Image.Resampling.LANCZOS, reducing_gap=3).convert("RGBA")
    differences = [_difference(_flattened(own, level), _flattened(other, level)) for level in (255, 0)]
    return max(differences, key=lambda each: each.score)


def _flattened(image: Image.Image, level: int) -> npt.NDArray[np.int16]:
    background = Image.new("RGBA", image.size, (level, level, level, 255))
    background.alpha_composite(image)
    return np.asarray(background, dtype=np.int16)[:, :, :3]


def _difference(one: npt.NDArray[np.int16], other: npt.NDArray[np.int16]) -> Difference:
    levels = np.abs(one - other)
    return Difference(float(levels.mean()), float((levels.max(axis=2) > _STRONG_LEVELS).mean()))
