"""JPEG without metadata: the segments that a decoder needs, and the pixels (ISO/IEC 10918-1, annex B)."""

from collections.abc import Mapping, Sequence

from kornia_rs.io import decode_image_jpegturbo

from imageconverter.engine import jpeg
from imageconverter.engine.coded_data.coding import Coding
from imageconverter.engine.geometry import Size
from imageconverter.engine.target import Target

_END = b"\xff\xd9"
_ADOBE = b"Adobe"
_ADOBE_BYTES = 12
_APP14 = 0xEE
_TABLES = (0xC4, 0xCC, 0xDB, 0xDD)  # Huffman, arithmetic, quantization, restart interval
_IGNORED = (*range(0xE0, 0xF0), jpeg.COMMENT)
_CODED_FRAMES = (0xC0, 0xC1, 0xC2, 0xC9, 0xCA)
_EIGHT_BITS = 8
# The table for luminance of annex K.1, which encoders scale by the quality, in sum.
_STANDARD_SUM = 3688


def without_metadata(data: bytes, size: Size, *, animated: bool) -> Coding | None:
    """Return the JPEG in *data*, up to its end marker, without metadata and comments.

    Of the segments that say how colors are coded, nothing else is kept. None if the decoder warns of anything.
    """
    del size, animated
    colors: dict[int, bytes] = {}
    parts: list[bytes] = []
    frame: jpeg.Frame | None = None
    previous: jpeg.Segment | None = None
    for segment in jpeg.segments(data):
        if previous is not None and previous.kind == jpeg.SCAN:
            parts.append(data[previous.end : segment.start])  # the pixels
        previous = segment
        content = data[segment.start + 4 : segment.end]
        if segment.kind == jpeg.END:
            kept = b"".join([jpeg.START, *colors.values(), *parts, _END])
            return _coding(kept, frame) if frame is not None else None
        if segment.kind in _CODED_FRAMES:
            frame = jpeg.read_frame(data, segment)
        if segment.kind in (*_CODED_FRAMES, *_TABLES, jpeg.SCAN):
            parts.append(data[segment.start : segment.end])
        elif segment.kind not in _IGNORED:
            return None
        elif frame is None:
            colors |= _color_segment(segment.kind, content)
    return None


def _color_segment(kind: int, content: bytes) -> dict[int, bytes]:
    """Return what is kept of an application segment, as decoders recognize it, by its kind."""
    if kind == jpeg.APP0 and content.startswith(jpeg.JFIF[:5]) and len(content) >= len(jpeg.JFIF):
        return {kind: jpeg.segment(kind, jpeg.JFIF)}
    if kind == _APP14 and content.startswith(_ADOBE) and len(content) >= _ADOBE_BYTES:
        return {kind: jpeg.segment(kind, content[:_ADOBE_BYTES])}
    return {}


def _coding(kept: bytes, frame: jpeg.Frame) -> Coding | None:
    if frame.depth != _EIGHT_BITS:
        return None
    try:
        decode_image_jpegturbo(kept, "mono")  # unlike Pillow, it fails if libjpeg warns
    except Exception:  # noqa: BLE001 - it raises nothing narrower
        return None
    finest = frame.channels[0]
    return Coding(
        kept,
        progressive=frame.kind in jpeg.PROGRESSIVE,
        fine_chroma=all(channel[1:] == finest[1:] for channel in frame.channels),
        quality=_quality(kept),
    )


def permits(coding: Coding, target: Target) -> bool:
    """Whether the image is progressive, and its colors are in full resolution, where the target asks for it."""
    return coding.progressive >= target.progressive and (coding.fine_chroma or target.chroma != "4:4:4")


def is_preferred(coding: Coding, target: Target) -> bool:
    """Whether the image was coded with no higher quality than the target's: coding it anew only loses detail."""
    return target.quality != "auto" and 0 < coding.quality <= target.quality


def quality_of(tables: Mapping[int, Sequence[int]]) -> int | None:
    """Estimate the quality, 1 to 100, from the quantization *tables*, of which the first is that for luminance.

    None if there are none.
    """
    luminance = next(iter(tables.values()), ())
    return _scaled(sum(luminance)) if luminance else None


def _scaled(total: int) -> int:
    """Invert libjpeg's scaling of the standard table."""
    percent = 100 * total / _STANDARD_SUM
    quality = (200 - percent) / 2 if percent <= 100 else 5000 / percent  # noqa: PLR2004 - libjpeg's formula
    return min(100, max(1, round(quality)))


def _quality(data: bytes) -> int:
    """Estimate the quality by the first quantization table, which is that for luminance."""
    for kind, start, _ in jpeg.segments(data):
        if kind == _TABLES[2]:
            wide = data[start + 4] >> 4
            table = data[start + 5 : start + 5 + 64 * (1 + wide)]
            levels = [int.from_bytes(table[at : at + 1 + wide], "big") for at in range(0, len(table), 1 + wide)]
            return _scaled(sum(levels))
    return 0
