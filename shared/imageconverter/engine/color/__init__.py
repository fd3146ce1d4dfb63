"""Whatever color space a source signals, its outputs say the same in 8 bits and sRGB, or gray."""

from imageconverter.engine.color.depth import to_eight_bits
from imageconverter.engine.color.management import to_srgb

__all__ = ["to_eight_bits", "to_srgb"]
