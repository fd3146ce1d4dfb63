"""GIF without metadata: palettes, frames and their timing (GIF89a specification)."""

import struct

from imageconverter.engine.coded_data.coding import Coding
from imageconverter.engine.geometry import Size

_SIGNATURE = b"GIF89a"
_SCREEN = struct.Struct("<6sHHBBB")
_FRAME = struct.Struct("<HHHHB")
_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_TEXT, _CONTROL, _APPLICATION = 0x01, 0xF9, 0xFF
_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_CONTROL_BYTES = 4
_HAS_PALETTE, _PALETTE_BITS = 0x80, 0x07


def without_metadata(data: bytes, size: Size, *, animated: bool) -> Coding | None:
    """Return the GIF in *data*, up to its trailer, without comments, texts and what applications have added."""
    _, width, height, flags, _, _ = _SCREEN.unpack_from(data)
    if (width, height) != size:
        return None
    at = _SCREEN.size + _palette_bytes(flags)
    parts: list[bytes] = []
    loop = control = b""
    frames = 0
    while data[at] != _TRAILER:
        if data[at] == _EXTENSION:
            label, (content, end) = data[at + 1], _blocks(data, at + 2)
            if label == _CONTROL:
                if len(content) != _CONTROL_BYTES:
                    return None
                control = _extension(label, content)
            elif label == _APPLICATION and content[:11] in _LOOPS and content[11:12] == b"\1":
                loop = _loop(content[12:14])
            elif label == _TEXT:
                return None
            at = end
        elif data[at] == _IMAGE:
            end = _end_of_frame(data, at, size)
            parts += [control, data[at:end]]
            control = b""
            frames += 1
            at = end
        else:
            return None
    head = _SIGNATURE + data[len(_SIGNATURE) : _SCREEN.size + _palette_bytes(flags)]
    kept = b"".join([head, loop, *parts, bytes([_TRAILER])])
    return Coding(kept, lossless=True) if frames and (frames > 1) == animated else None


def _palette_bytes(flags: int) -> int:
    return 3 << ((flags & _PALETTE_BITS) + 1) if flags & _HAS_PALETTE else 0


def _end_of_frame(data: bytes, at: int, size: Size) -> int:
    """Return the end of the frame at *at*. Raises ValueError if it is not within the screen, or is cut off."""
    left, top, width, height, flags = _FRAME.unpack_from(data, at + 1)
    if not (0 < width <= size[0] - left and 0 < height <= size[1] - top):
        raise ValueError("a frame is empty or exceeds the screen")
    return _blocks(data, at + 1 + _FRAME.size + _palette_bytes(flags) + 1)[1]


def _blocks(data: bytes, at: int) -> tuple[bytes, int]:
    """Return the content of the blocks at *at*, and where they end. Raises IndexError if they are cut off."""
    parts = []
    while length := data[at]:
        parts.append(data[at + 1 : at + 1 + length])
        at += 1 + length
    return b"".join(parts), at + 1


def _extension(label: int, content: bytes) -> bytes:
    return bytes([_EXTENSION, label, len(content)]) + content + b"\0"


def _loop(repetitions: bytes) -> bytes:
    """Write how often all is repeated as every reader knows it; it belongs before the first frame."""
    return bytes([_EXTENSION, _APPLICATION, 11]) + _LOOPS[0] + b"\3\1" + repetitions + b"\0"
