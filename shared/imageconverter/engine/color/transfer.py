"""Transfer functions: from the values of a channel, 0 to 1, to linear light."""

from typing import Any, NamedTuple

import numpy as np

Values = np.ndarray[Any, np.dtype[np.floating[Any]]]

PQ, HLG = 16, 18
"""The numbers of ITU-T H.273 for those of high dynamic range."""

# ITU-R BT.2100-2, tables 4 and 5.
_PQ_M1, _PQ_M2 = 2610 / 16384, 2523 / 4096 * 128
_PQ_C1, _PQ_C2, _PQ_C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
_PQ_NITS = 10_000
_HLG_A, _HLG_B, _HLG_C = 0.17883277, 0.28466892, 0.55991073


class Curve(NamedTuple):
    """`(a * value + b) ** exponent` from *start* on, `slope * value` below: ICC's parametric curve of type 3."""

    exponent: float
    a: float = 1.0
    b: float = 0.0
    slope: float = 0.0
    start: float = 0.0

    def linear(self, values: Values) -> Values:
        """Return linear light."""
        above = np.maximum(self.a * values + self.b, 0) ** self.exponent
        made: Values = np.where(values >= self.start, above, self.slope * values)
        return made


SRGB = Curve(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_BT1886 = Curve(2.4)

CAMERAS = (1, 6, 11, 14, 15)
"""The numbers of ITU-T H.273 for the curves of video cameras."""
H273 = {
    **dict.fromkeys(CAMERAS, _BT1886),  # what a display makes of them
    4: Curve(2.2),
    5: Curve(2.8),
    7: Curve(1 / 0.45, 1 / 1.1115, 0.1115 / 1.1115, 1 / 4, 0.0912),
    8: Curve(1.0),
    13: SRGB,
    17: Curve(2.6, (52.37 / 48) ** (1 / 2.6)),
}
"""By their number in ITU-T H.273, table 3; without PQ and HLG, and those that browsers do not know either."""


def pq_to_nits(values: Values) -> Values:
    """Return the luminance that PQ means."""
    root = values ** (1 / _PQ_M2)
    made: Values = _PQ_NITS * (np.maximum(root - _PQ_C1, 0) / (_PQ_C2 - _PQ_C3 * root)) ** (1 / _PQ_M1)
    return made


def hlg_to_scene(values: Values) -> Values:
    """Return the linear light of the scene, 0 to 1, that HLG means."""
    made: Values = np.where(values <= 1 / 2, values**2 / 3, (np.exp((values - _HLG_C) / _HLG_A) + _HLG_B) / 12)
    return made


def srgb_encoded(light: Values) -> Values:
    """Return the values of sRGB, 0 to 1, for linear light, which is clipped."""
    clipped = np.clip(light, 0, 1)
    made: Values = np.where(clipped <= 0.0031308, clipped * 12.92, 1.055 * clipped ** (1 / 2.4) - 0.055)  # noqa: PLR2004 - IEC 61966-2-1
    return made
