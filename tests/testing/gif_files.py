"""GIF files, written block by block as GIF89a says, so that every field can be right or wrong."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

Colors = Sequence[tuple[int, int, int]]

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 128, 0), (0, 0, 255), (255, 255, 255)
COLORS: Colors = (RED, GREEN, BLUE, WHITE)

TRAILER = b";"
_BITS = 8
_CLEAR = 1 << _BITS
_CODE_BITS = _BITS + 1
_CODES_UNTIL_WIDER = 250  # a decoder's table then has fewer than 512 entries


@dataclass(frozen=True)
class Frame:
    """An image with the extension before it; the defaults say what most files do."""

    size: tuple[int, int]
    pixels: bytes
    """Indices, row by row."""
    at: tuple[int, int] = (0, 0)
    colors: Colors = ()
    """Its own color table, if there are any."""
    interlaced: bool = False
    disposal: int = 0
    transparent: int | None = None
    hundredths: int | None = None
    """How long it is shown; without it, a disposal and a transparent index there is no extension."""

    @classmethod
    def filled(cls, size: tuple[int, int], index: int, **fields: object) -> "Frame":
        """Make a frame of one index."""
        return cls(size, bytes([index]) * (size[0] * size[1]), **fields)  # type: ignore[arg-type]

    def encoded(self) -> bytes:
        """Return its blocks."""
        return self.control() + self.descriptor() + bytes([_BITS]) + blocks(lzw(self.stored()))

    def control(self) -> bytes:
        """Return its graphic control extension, if it needs one."""
        if self.hundredths is None and not self.disposal and self.transparent is None:
            return b""
        flags = self.disposal << 2 | (self.transparent is not None)
        return b"!\xf9\4" + struct.pack("<BHB", flags, self.hundredths or 0, self.transparent or 0) + b"\0"

    def descriptor(self) -> bytes:
        """Return its image descriptor and color table."""
        flags = (0x80 | _table_bits(self.colors) if self.colors else 0) | (0x40 if self.interlaced else 0)
        return b"," + struct.pack("<HHHHB", *self.at, *self.size, flags) + _table(self.colors)

    def stored(self) -> bytes:
        """Return the indices in the order in which they are stored."""
        width, height = self.size
        rows = [self.pixels[width * y : width * (y + 1)] for y in range(height)]
        if self.interlaced:
            rows = rows[::8] + rows[4::8] + rows[2::4] + rows[1::2]
        return b"".join(rows)


def gif(
    size: tuple[int, int],
    *parts: Frame | bytes,
    colors: Colors = COLORS,
    background: int = 0,
    loop: int | None = None,
    trailer: bytes = TRAILER,
) -> bytes:
    """Make a GIF of *parts*: frames, and blocks as they are."""
    flags = 0x80 | _table_bits(colors) if colors else 0
    head = b"GIF89a" + struct.pack("<HHBBB", *size, flags, background, 0) + _table(colors)
    looping = b"" if loop is None else application(b"NETSCAPE2.0", b"\1" + struct.pack("<H", loop))
    encoded = (part.encoded() if isinstance(part, Frame) else part for part in parts)
    return head + looping + b"".join(encoded) + trailer


def application(name: bytes, data: bytes) -> bytes:
    """Make an application extension."""
    return b"!\xff" + bytes([len(name)]) + name + blocks(data)


def comment(text: bytes) -> bytes:
    """Make a comment extension."""
    return b"!\xfe" + blocks(text)


def plain_text() -> bytes:
    """Make a plain text extension, which no browser shows."""
    return b"!\x01\x0c" + bytes(12) + blocks(b"plain text")


def blocks(data: bytes) -> bytes:
    """Divide *data* into blocks of 255 bytes, and end them."""
    parts = (data[at : at + 255] for at in range(0, len(data), 255))
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def lzw(indices: bytes, *, end: bool = True) -> bytes:
    """Write *indices* as LZW codes that never refer to earlier ones."""
    codes = []
    for number, index in enumerate(indices):
        if number % _CODES_UNTIL_WIDER == 0:
            codes.append(_CLEAR)
        codes.append(index)
    return packed([*codes, _CLEAR + 1] if end else codes)


def packed(codes: Sequence[int]) -> bytes:
    """Pack *codes* of nine bits."""
    bits = sum(code << (_CODE_BITS * number) for number, code in enumerate(codes))
    return bits.to_bytes(-(-_CODE_BITS * len(codes) // 8), "little")


def _table_bits(colors: Colors) -> int:
    return max(0, (len(colors) - 1).bit_length() - 1)


def _table(colors: Colors) -> bytes:
    if not colors:
        return b""
    return b"".join(map(bytes, colors)).ljust(6 << _table_bits(colors), b"\0")
