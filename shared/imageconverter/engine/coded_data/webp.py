"""WebP without metadata: the chunks with pixels, and those of the animation (RFC 9649)."""

import struct
from collections.abc import Iterator

from imageconverter.engine.coded_data.coding import Coding
from imageconverter.engine.geometry import Size
from imageconverter.engine.target import Target

_RIFF_BYTES = 12
_CHUNK = struct.Struct("<4sI")
_FEATURES = b"VP8X"
_FEATURE_BYTES, _FRAME_BYTES, _ANIMATION_BYTES = 10, 16, 6
_PROFILE, _EXIF, _XMP, _ANIMATED = 0x20, 0x08, 0x04, 0x02
_LOSSLESS, _LOSSY, _ALPHA = b"VP8L", b"VP8 ", b"ALPH"
_PIXELS = (_LOSSLESS, _LOSSY, _ALPHA)


def without_metadata(data: bytes, size: Size, *, animated: bool) -> Coding | None:
    """Return the WebP in *data* with the chunks that make up the image, or the animation."""
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data) + 1:
        return None
    parts: list[bytes] = []
    kinds: list[bytes] = []
    for kind, content in _chunks(data[_RIFF_BYTES:end]):
        if kind == _FEATURES:
            if parts or len(content) != _FEATURE_BYTES or _canvas(content) != size:
                return None
            flags = content[0] & ~(_PROFILE | _EXIF | _XMP)
            if bool(flags & _ANIMATED) != animated:
                return None
            parts.append(_chunk(kind, bytes([flags]) + content[1:]))
        elif kind == b"ANIM" and animated:
            parts.append(_chunk(kind, content[:_ANIMATION_BYTES]))
        elif kind == b"ANMF" and animated:
            frame = [(kind, inner) for kind, inner in _chunks(content[_FRAME_BYTES:]) if kind in _PIXELS]
            kinds += [kind for kind, _ in frame]
            parts.append(_chunk(kind, content[:_FRAME_BYTES] + b"".join(_chunk(*inner) for inner in frame)))
        elif kind in _PIXELS and not animated:
            kinds.append(kind)
            parts.append(_chunk(kind, content))
    if not kinds or (not animated and len(kinds) != len(set(kinds))):
        return None
    body = b"WEBP" + b"".join(parts)
    return Coding(b"RIFF" + len(body).to_bytes(4, "little") + body, lossless=set(kinds) == {_LOSSLESS})


def permits(coding: Coding, target: Target) -> bool:
    """Whether the image is lossless if the target asks for it."""
    return coding.lossless or not target.lossless


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield type and content of each chunk. Raises ValueError if one is cut off."""
    at = 0
    while at + _CHUNK.size <= len(data):
        kind, length = _CHUNK.unpack_from(data, at)
        at += _CHUNK.size
        if at + length > len(data):
            raise ValueError("a chunk is cut off")
        yield kind, data[at : at + length]
        at += length + length % 2


def _chunk(kind: bytes, content: bytes) -> bytes:
    return _CHUNK.pack(kind, len(content)) + content + bytes(len(content) % 2)


def _canvas(features: bytes) -> Size:
    return 1 + int.from_bytes(features[4:7], "little"), 1 + int.from_bytes(features[7:10], "little")
