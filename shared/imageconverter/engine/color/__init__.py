"""Whatever color space a source signals, its outputs say the same in 8 bits and sRGB, or gray."""

from imageconverter.engine.color.conversion import convert, to_srgb
from imageconverter.engine.color.depth import eight_bit_mode, to_eight_bits
from imageconverter.engine.color.management import from_srgb, is_reversible
from imageconverter.engine.color.signals import SourceColor, read_color

__all__ = [
    "SourceColor",
    "convert",
    "eight_bit_mode",
    "from_srgb",
    "is_reversible",
    "read_color",
    "to_eight_bits",
    "to_srgb",
]
