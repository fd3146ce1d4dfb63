"""Color primaries: the chromaticities of red, green, blue and white, and what they mean in other color spaces."""

from dataclasses import dataclass
from typing import Any

import numpy as np

Matrix = np.ndarray[Any, np.dtype[np.floating[Any]]]
Chromaticity = tuple[float, float]

# The white of ICC's connection space, and the cone responses of Bradford's adaptation to it (ICC.1:2022, annex E).
_D50 = (0.9642, 1.0, 0.8249)
_BRADFORD = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))
_D65: Chromaticity = (0.3127, 0.3290)
_ILLUMINANT_C: Chromaticity = (0.310, 0.316)
_EQUAL_ENERGY: Chromaticity = (1 / 3, 1 / 3)
_DCI: Chromaticity = (0.314, 0.351)
_MIN_DETERMINANT = 1e-6


@dataclass(frozen=True)
class Primaries:
    """Each as x and y of CIE 1931."""

    red: Chromaticity
    green: Chromaticity
    blue: Chromaticity
    white: Chromaticity = _D65

    def to_xyz(self) -> Matrix:
        """Return the matrix from linear light to XYZ adapted to D50. Raises ValueError if there can be none."""
        corners = np.array([(x, y, 1 - x - y) for x, y in (self.red, self.green, self.blue)]).T
        if abs(np.linalg.det(corners)) < _MIN_DETERMINANT:
            raise ValueError("the primaries are on a line")
        x, y = self.white
        if not y > 0:
            raise ValueError("white is no color")
        white = np.array([x / y, 1, (1 - x - y) / y])
        as_seen = corners * np.linalg.solve(corners, white)
        bradford = np.array(_BRADFORD)
        gains = (bradford @ _D50) / (bradford @ white)
        adapted: Matrix = np.linalg.solve(bradford, np.diag(gains) @ bradford) @ as_seen
        if not np.all(np.isfinite(adapted)):
            raise ValueError("the primaries are no colors")
        return adapted

    def to(self, other: "Primaries") -> Matrix:
        """Return the matrix from linear light to that of *other* primaries. Raises ValueError as `to_xyz` does."""
        made: Matrix = np.linalg.solve(other.to_xyz(), self.to_xyz())
        return made


BT709 = Primaries((0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
"""Those of sRGB too."""
BT2020 = Primaries((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))
_SMPTE_170M = Primaries((0.630, 0.340), (0.310, 0.595), (0.155, 0.070))

H273 = {
    1: BT709,
    4: Primaries((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), _ILLUMINANT_C),
    5: Primaries((0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
    6: _SMPTE_170M,
    7: _SMPTE_170M,
    8: Primaries((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), _ILLUMINANT_C),
    9: BT2020,
    10: Primaries((1.0, 0.0), (0.0, 1.0), (0.0, 0.0), _EQUAL_ENERGY),
    11: Primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _DCI),
    12: Primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    22: Primaries((0.630, 0.340), (0.295, 0.605), (0.155, 0.077)),
}
"""By their number in ITU-T H.273, table 2."""
