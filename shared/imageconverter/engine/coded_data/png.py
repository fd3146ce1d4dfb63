"""PNG without metadata: the critical chunks, transparency and animation (W3C PNG, third edition, clause 11)."""

import struct
import zlib
from collections.abc import Iterator, Sequence

from imageconverter.engine.coded_data.coding import Coding
from imageconverter.engine.geometry import Size

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHUNK = struct.Struct(">I4s")
_HEADER = struct.Struct(">IIBBBBB")
_FRAME = struct.Struct(">IIIIIHHBB")
_SEQUENCE_BYTES = 4
_STILL = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_ANIMATION = (b"acTL", b"fcTL", b"fdAT")
_EIGHT_BITS = 8
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by color type
# Of the seven passes of an interlaced image: first column and row, and the steps to the next.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
Chunk = tuple[bytes, bytes]
"""Its type and content."""
_INFLATED_AT_ONCE = 1 << 20  # bytes
_LOWER_CASE = 0x20  # the bit of a chunk's first letter that makes it ancillary


def without_metadata(data: bytes, size: Size, *, animated: bool) -> Coding | None:
    """Return the PNG in *data* with the chunks that make up the image, or the animation.

    None if a chunk that is kept is broken, if there is an unknown critical one, if a sample has 16 bits, or if the
    compressed data do not end with the pixels.
    """
    wanted = _STILL + _ANIMATION if animated else _STILL
    kept: list[Chunk] = []
    for kind, content in _chunks(data):
        if kind in wanted:
            kept.append((kind, content))
        elif not kind[0] & _LOWER_CASE:
            return None
        if kind == b"IEND":
            break
    if not kept or kept[-1][0] != b"IEND" or _is_misread(kept):
        return None
    header = kept[0][1]
    is_exact = _HEADER.unpack(header)[:2] == size and all(_is_exact(header, *image) for image in _images(kept, size))
    return Coding(_SIGNATURE + b"".join(_chunk(*each) for each in kept), lossless=True) if is_exact else None


def _images(chunks: Sequence[Chunk], size: Size) -> list[tuple[Size, list[bytes]]]:
    """Return extents and compressed pixels of each image: that of *size*, and all frames that are stored apart."""
    images: list[tuple[Size, list[bytes]]] = [(size, [])]
    for kind, content in chunks:
        if kind == b"IDAT":
            images[0][1].append(content)
        elif kind == b"fdAT":
            images[-1][1].append(content[_SEQUENCE_BYTES:])
        elif kind == b"fcTL" and (len(images) > 1 or images[0][1]):  # else it is that of the first image
            _, width, height, *_ = _FRAME.unpack(content)
            images.append(((width, height), []))
    return images


def _is_misread(chunks: Sequence[Chunk]) -> bool:
    """Whether Pillow finds the wrong gray transparent: it stretches fewer than 8 bits, but not this gray."""
    depth, color_type = chunks[0][1][8:10]
    return color_type == 0 and depth < _EIGHT_BITS and any(kind == b"tRNS" for kind, _ in chunks)


def _chunks(data: bytes) -> Iterator[Chunk]:
    """Yield type and content of each chunk. Raises ValueError if one is cut off or its checksum is wrong."""
    at = len(_SIGNATURE)
    while at < len(data):
        length, kind = _CHUNK.unpack_from(data, at)
        end = at + _CHUNK.size + length
        content, checksum = data[at + _CHUNK.size : end], data[end : end + 4]
        if kind in _STILL + _ANIMATION and checksum != _checksum(kind, content):
            raise ValueError("wrong checksum")
        yield kind, content
        at = end + len(checksum)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return _CHUNK.pack(len(content), kind) + content + _checksum(kind, content)


def _checksum(kind: bytes, content: bytes) -> bytes:
    return zlib.crc32(content, zlib.crc32(kind)).to_bytes(4, "big")


def _is_exact(header: bytes, size: Size, pieces: list[bytes]) -> bool:
    """Whether the compressed *pieces* have the pixels of an image of *size* and nothing else: no hidden data."""
    _, _, depth, color_type, _, _, interlaced = _HEADER.unpack(header)
    if depth > _EIGHT_BITS:
        return False
    bits = depth * _CHANNELS[color_type]
    left = sum(height * (1 + (width * bits + 7) // 8) for width, height in _passes(size, interlaced) if width)
    inflate = zlib.decompressobj()
    for piece in pieces:
        rest = piece
        while rest and not inflate.eof:
            left -= len(inflate.decompress(rest, _INFLATED_AT_ONCE))
            rest = inflate.unconsumed_tail
            if left < 0:
                return False
        if inflate.unused_data or (rest and inflate.eof):
            return False
    while not inflate.eof and (more := inflate.decompress(b"", _INFLATED_AT_ONCE)):
        left -= len(more)
    return inflate.eof and left == 0


def _passes(size: Size, interlaced: int) -> Iterator[Size]:
    """Yield width and height of each pass."""
    if not interlaced:
        yield size
        return
    width, height = size
    for left, top, across, down in _PASSES:
        yield (width - left + across - 1) // across, (height - top + down - 1) // down
