"""XCF files for tests, of any version, precision and compression."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

_TILE = 64
NONE, RLE, ZLIB = 0, 1, 2
RGB, GRAY, INDEXED = 0, 1, 2
NORMAL, OLD_NORMAL, PASS_THROUGH = 28, 0, 61


@dataclass
class Layer:
    """A layer with pixels (row, column, channel) as stored, or a group if it has none."""

    pixels: NDArray[Any] | None
    left: int = 0
    top: int = 0
    mode: int = OLD_NORMAL
    opacity: int = 255
    is_visible: bool = True
    mask: NDArray[Any] | None = None
    applies_mask: bool = True
    path: Sequence[int] = ()
    """Of a layer in a group: the indices of its groups and its own."""
    properties: list[tuple[int, bytes]] = field(default_factory=list)


class _File:
    """A file being written."""

    def __init__(self, version: int, compression: int, dtype: np.dtype[Any]) -> None:
        self.data = bytearray()
        self.version, self.compression, self.dtype = version, compression, dtype

    def add(self, data: bytes) -> None:
        self.data += data

    def add_pointers(self, count: int) -> int:
        """Reserve space for pointers, which precede their targets; return its offset."""
        offset = len(self.data)
        self.data += bytes(count * (8 if self.version >= 11 else 4))
        return offset

    def point(self, table: int, index: int = 0) -> None:
        """Set a pointer to the current end of the file."""
        code, size = (">Q", 8) if self.version >= 11 else (">I", 4)
        struct.pack_into(code, self.data, table + index * size, len(self.data))

    def add_hierarchy(self, pixels: NDArray[Any]) -> None:
        height, width, channels = pixels.shape
        self.add(struct.pack(">3I", width, height, channels * self.dtype.itemsize))
        levels = self.add_pointers(2)
        self.point(levels)
        self.add(struct.pack(">2I", width, height))
        corners = [(top, left) for top in range(0, height, _TILE) for left in range(0, width, _TILE)]
        tiles = self.add_pointers(len(corners) + 1)
        for index, (top, left) in enumerate(corners):
            self.point(tiles, index)
            self.add(self._packed(pixels[top : top + _TILE, left : left + _TILE]))

    def _packed(self, tile: NDArray[Any]) -> bytes:
        plain = np.ascontiguousarray(tile.astype(self.dtype)).tobytes()
        if self.compression == RLE:
            pixel_bytes = tile.shape[2] * self.dtype.itemsize
            return b"".join(runs(plain[plane::pixel_bytes]) for plane in range(pixel_bytes))
        return zlib.compress(plain) if self.compression == ZLIB else plain


def runs(plane: bytes) -> bytes:
    """Run-length encode *plane* with every kind of run: short and long, of the same and of different bytes."""
    packed, at = bytearray(), 0
    literal = bytearray()

    def flush() -> None:
        if len(literal) > 127:
            packed.extend(b"\x80" + struct.pack(">H", len(literal)) + literal)
        elif literal:
            packed.extend(bytes([256 - len(literal)]) + literal)
        literal.clear()

    while at < len(plane):
        end = at + 1
        while end < len(plane) and plane[end] == plane[at]:
            end += 1
        if end - at > 127:
            flush()
            packed += b"\x7f" + struct.pack(">H", end - at) + plane[at : at + 1]
        elif end - at > 2:
            flush()
            packed += bytes([end - at - 1]) + plane[at : at + 1]
        else:
            literal += plane[at:end]
        at = end
    flush()
    return bytes(packed)


def prop(kind: int, payload: bytes = b"", length: int | None = None) -> bytes:
    """Return a property; *length* is the stored length, if it is to be wrong."""
    return struct.pack(">2I", kind, len(payload) if length is None else length) + payload


def number(kind: int, value: int) -> bytes:
    """Return a property of one number."""
    return prop(kind, struct.pack(">i", value))


def string(text: bytes) -> bytes:
    """Return a string as stored."""
    return struct.pack(">I", len(text) + 1) + text + b"\0"


def parasite(name: bytes, data: bytes) -> bytes:
    """Return a parasite: data of any kind under a name."""
    return string(name) + struct.pack(">2I", 1, len(data)) + data


def xcf(
    layers: Sequence[Layer],
    size: tuple[int, int],
    *,
    version: int = 11,
    base: int = RGB,
    precision: int = 150,
    dtype: str = "u1",
    compression: int = RLE,
    colors: bytes = b"",
    properties: bytes = b"",
) -> bytes:
    """Return a file of *layers*, the topmost first; *dtype* is the type of stored samples with its byte order."""
    file = _File(version, compression, np.dtype(dtype))
    file.add(b"gimp xcf " + (b"v%03d" % version if version else b"file") + b"\0" + struct.pack(">3I", *size, base))
    if version >= 4:
        file.add(struct.pack(">I", precision))
    if base == INDEXED:
        count = len(colors) // 3
        stored = colors if version else bytes(count)  # version 0 does not store them
        file.add(prop(1, struct.pack(">I", count) + stored, length=4 + count))
    file.add(prop(17, bytes([compression])) + properties + prop(0))
    table = file.add_pointers(len(layers) + 2)
    for index, layer in enumerate(layers):
        file.point(table, index)
        _add(file, layer, base)
    return bytes(file.data)


def _add(file: _File, layer: Layer, base: int) -> None:
    pixels = np.zeros((1, 1, 4), file.dtype) if layer.pixels is None else layer.pixels
    height, width, channels = pixels.shape
    listed = [prop(29)] if layer.pixels is None else []  # GIMP discards the properties before it
    listed += [number(6, layer.opacity), number(8, layer.is_visible), number(7, layer.mode)]
    listed += [number(11, layer.applies_mask), prop(15, struct.pack(">2i", layer.left, layer.top))]
    listed += [prop(*each) for each in layer.properties]
    if layer.path:
        listed.append(prop(30, struct.pack(f">{len(layer.path)}I", *layer.path)))
    file.add(struct.pack(">3I", width, height, 2 * base + (channels in (2, 4))) + string(b"a layer"))
    file.add(b"".join(listed) + prop(0))
    pointers = file.add_pointers(2)
    file.point(pointers, 0)
    file.add_hierarchy(pixels)
    if layer.mask is not None:
        file.point(pointers, 1)
        height, width = layer.mask.shape
        file.add(struct.pack(">2I", width, height) + string(b"a mask") + prop(0))
        file.point(file.add_pointers(1))
        file.add_hierarchy(layer.mask[..., np.newaxis])
