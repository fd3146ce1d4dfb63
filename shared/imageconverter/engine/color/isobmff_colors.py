"""What an AVIF or HEIC file says about its colors: the boxes `colr` and `clli` of the primary image.

ISO/IEC 14496-12 (boxes), ISO/IEC 23000-22 (MIAF). Pillow's reader of
AVIF gives the ICC profile, but not the numbers of ITU-T H.273, called nclx.
"""

import struct
from collections.abc import Iterator, Sequence
from typing import IO

from imageconverter.engine import isobmff
from imageconverter.engine.color.statements import CodePoints, Statements
from imageconverter.engine.isobmff import Box

_AV1_DEPTHS = (8, 8, 10, 12)  # by the flags high_bitdepth and twelve_bit


def read_isobmff(source: IO[bytes]) -> Statements:
    """Read the properties of the primary item, or else those of the first track."""
    for data, properties in _properties(source):
        statements = _statements(data, properties)
        if statements.code_points or statements.icc_profile:
            return statements
    return Statements()


def read_depth(source: IO[bytes]) -> int:
    """Read how many bits a sample of the same image has, from the boxes `pixi` and `av1C`; 8 if they do not say."""
    for data, properties in _properties(source):
        found = {kind: data[begin : min(begin + 8, end)] for kind, begin, end in properties}
        if len(pixi := found.get(b"pixi", b"")) > 5:  # noqa: PLR2004 - version, flags and number of channels
            return pixi[5]
        if len(configuration := found.get(b"av1C", b"")) > 2:  # noqa: PLR2004 - version, profile and level
            return _AV1_DEPTHS[configuration[2] >> 5 & 3]
    return 8


def _properties(source: IO[bytes]) -> Iterator[tuple[bytes, Sequence[Box]]]:
    """Yield the properties of the primary item, and those of the first track, each with the data that they are in."""
    data = isobmff.without_media(source)
    yield data, isobmff.image_properties(data)
    yield data, isobmff.track_properties(data)


def _statements(data: bytes, properties: Sequence[Box]) -> Statements:
    code_points, icc_profile, peak = None, b"", 0.0
    for kind, begin, end in properties:
        content = data[begin:end]
        form = content[:4]
        if kind == b"colr" and form == b"nclx" and len(content) >= 11:  # noqa: PLR2004 - bytes
            primaries, transfer, matrix, flags = struct.unpack_from(">HHHB", content, 4)
            code_points = CodePoints(primaries, transfer, matrix, flags >> 7)
        elif kind == b"colr" and form in (b"prof", b"rICC"):
            icc_profile = content[4:]
        elif kind == b"clli" and len(content) >= 2:  # noqa: PLR2004 - bytes
            (peak,) = struct.unpack_from(">H", content)
    return Statements(icc_profile=icc_profile, code_points=code_points, peak=peak)
