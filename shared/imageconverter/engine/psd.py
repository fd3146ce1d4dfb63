"""The structure of a PSD or PSB up to its merged image (Adobe Photoshop File Formats Specification, 2019)."""

import io
import struct
from dataclasses import dataclass
from typing import IO

from imageconverter.engine.geometry import Size

BITMAP, GRAY, INDEXED, RGB, CMYK, MULTICHANNEL, DUOTONE, LAB = 0, 1, 2, 3, 4, 7, 8, 9
PROFILE, TRANSPARENT_INDEX, _VERSION_INFO, EXIF, DISPLAY = 1039, 1047, 1057, 1058, 1077
_RESOURCES = {PROFILE, TRANSPARENT_INDEX, _VERSION_INFO, EXIF, DISPLAY}

_MODES = {BITMAP: "bitmap", GRAY: "gray", INDEXED: "indexed", RGB: "RGB", CMYK: "CMYK", MULTICHANNEL: "multichannel",
          DUOTONE: "duotone", LAB: "Lab"}  # fmt: skip
_HEADER = struct.Struct(">4sH6xHIIHH")
_LARGE = 2  # version
_MAX_PALETTE = 768
_MAX_RESOURCES, _MAX_BLOCKS = 4096, 256
_MAX_RESOURCE = 16 << 20  # bytes of one that is used
_MAX_OFFSET = 1 << 40
# Blocks that have a length of 64 bits in large files.
_LONG_BLOCKS = {b"LMsk", b"Lr16", b"Lr32", b"Layr", b"Mt16", b"Mt32", b"Mtrn", b"Alph", b"FMsk", b"lnk2", b"FEid",
                b"FXid", b"PxSD"}  # fmt: skip
_LAYERS = {b"Layr", b"Lr16", b"Lr32"}
_TRANSPARENCY = {b"Mtrn", b"Mt16", b"Mt32"}


@dataclass(frozen=True)
class Structure:
    """What precedes the pixels."""

    is_large: bool
    """Whether it is a PSB."""
    channels: int
    size: Size
    """Width and height in pixels."""
    depth: int
    """Bits of a sample."""
    mode: int
    palette: bytes
    """Of an indexed image: all reds, all greens, all blues."""
    resources: dict[int, bytes]
    """Those that are of use, by their number."""
    is_transparent: bool
    """Whether the first channel after the colors is the alpha of the merged image, and not a saved selection."""
    pixels: int
    """Offset of the merged image: its compression, then its channels."""


def read_size(source: IO[bytes]) -> Size:
    """Read width and height; (0, 0) if the header is cut off."""
    source.seek(0)
    header = source.read(_HEADER.size)
    if len(header) < _HEADER.size:
        return 0, 0
    _, _, _, height, width, _, _ = _HEADER.unpack(header)
    return width, height


def unsupported(source: IO[bytes]) -> str:
    """Return the name of a variant that cannot be read, or ""."""
    try:
        found = read(source)
    except ValueError:
        return ""  # broken, which the decoder says
    depths = {BITMAP: (1,), INDEXED: (8,)}.get(found.mode, (8, 16, 32))
    if found.mode not in _MODES or found.depth not in depths:
        return f"{found.depth}-bit {_MODES.get(found.mode, f'mode {found.mode}')} PSD"
    if found.resources.get(_VERSION_INFO, b"")[4:5] == b"\0":
        return "PSD without a merged image"
    return ""


def read(source: IO[bytes]) -> Structure:
    """Read the structure. Raises ValueError if the file ends before the pixels."""
    source.seek(0)
    header = _read(source, _HEADER.size)
    _, version, channels, height, width, depth, mode = _HEADER.unpack(header)
    is_large = version == _LARGE
    length = _number(source, ">I")
    palette = source.read(min(length, _MAX_PALETTE)) if mode == INDEXED else b""
    _seek(source, _HEADER.size + 4 + length)
    end = _number(source, ">I") + source.tell()
    resources = _resources(source, end)
    _seek(source, end)
    end = _number(source, ">Q" if is_large else ">I") + source.tell()
    is_transparent = _is_transparent(source, end, is_large=is_large)
    return Structure(is_large, channels, (width, height), depth, mode, palette, resources, is_transparent, end)


def _resources(source: IO[bytes], end: int) -> dict[int, bytes]:
    """Read the resources that are of use; a broken one ends them, as none is worth an image."""
    found: dict[int, bytes] = {}
    for _ in range(_MAX_RESOURCES):
        head = source.read(7)
        if source.tell() >= end or len(head) < 7:  # noqa: PLR2004 - signature, number, length of the name
            break
        number = int.from_bytes(head[4:6], "big")
        source.seek(head[6] | 1, io.SEEK_CUR)  # the name and its length have an even number of bytes
        length = int.from_bytes(source.read(4), "big")
        following = source.tell() + length + length % 2
        if number in _RESOURCES and length <= min(end - source.tell(), _MAX_RESOURCE):
            found.setdefault(number, source.read(length))
        source.seek(following)
    return found


def _is_transparent(source: IO[bytes], end: int, *, is_large: bool) -> bool:
    """Whether the layers, or a block of its own, say that the merged image has an alpha channel.

    Layers of 16 and 32 bits are in a block as well. A negative number of layers is the sign.
    """
    layout = ">Q" if is_large else ">I"
    try:
        if end - source.tell() < struct.calcsize(layout):
            return False
        length = _number(source, layout)
        start = source.tell()
        if length and _number(source, ">h") < 0:
            return True
        _seek(source, start + length)
        source.seek(_number(source, ">I"), io.SEEK_CUR)  # the global mask
        for _ in range(_MAX_BLOCKS):
            head = source.read(8)
            if source.tell() >= end or head[:4] not in (b"8BIM", b"8B64"):
                break
            kind = head[4:]
            length = _number(source, ">Q" if is_large and kind in _LONG_BLOCKS else ">I")
            start = source.tell()
            if kind in _TRANSPARENCY or (kind in _LAYERS and length and _number(source, ">h") < 0):
                return True
            _seek(source, start + (length + 3) // 4 * 4)
    except ValueError:
        return False
    return False


def _number(source: IO[bytes], layout: str) -> int:
    value: int = struct.unpack(layout, _read(source, struct.calcsize(layout)))[0]
    return value


def _seek(source: IO[bytes], offset: int) -> None:
    if offset > _MAX_OFFSET:
        raise ValueError("the file is cut off before the pixels")
    source.seek(offset)


def _read(source: IO[bytes], length: int) -> bytes:
    data = source.read(length)
    if len(data) < length:
        raise ValueError("the file is cut off before the pixels")
    return data
