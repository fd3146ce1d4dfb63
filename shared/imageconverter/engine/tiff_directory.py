"""The directory of the image that a TIFF shows: its tags, read without any decoder.

Sources: TIFF 6.0 (Adobe, 1992), its technical notes 1 to 3, and the BigTIFF design (https://libtiff.gitlab.io/libtiff).
The numbers of tags, compressions and color spaces are those of these documents and of libtiff.
"""

import math
import struct
from collections.abc import Iterator
from typing import IO

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 256, 257, 258, 259, 262
SAMPLES, SAMPLE_FORMAT = 277, 339
_NEW_SUBFILE_TYPE, _SUBFILE_TYPE, _SUB_DIRECTORIES, _DNG_VERSION = 254, 255, 330, 50706

_REDUCED_OR_MASK = 0b101  # bits of the new type; 2 is the old type for reduced images
_OLD_REDUCED = 2
_MAX_ENTRIES = 4096  # as in libtiff
_MAX_DIRECTORIES = 32  # that are searched for the main image
_MAX_BYTES = 64 * 1024 * 1024  # of one value
_MAX_OFFSET = 1 << 52  # files are shorter, and cannot seek much further
_BIG_TIFF = 43
_CANON_RAW = b"CR\2"
_TYPES = {
    1: "B", 3: "H", 4: "I", 5: "II", 6: "b", 7: "B", 8: "h", 9: "i", 10: "ii", 11: "f", 12: "d", 13: "I",
    16: "Q", 17: "q", 18: "Q",
}  # fmt: skip
_RATIOS = (5, 10)

Number = int | float


class BrokenDirectory(ValueError):  # noqa: N818 - the name says it
    """The file has no directory where its header says so."""


class Directory:
    """The tags of one image, whose values are read when they are asked for.

    Whatever is not in the file is as if it had not been written: values may be missing or too few.
    """

    def __init__(self, source: IO[bytes], offset: int, order: str, *, big: bool, index: int = 0) -> None:
        """Read the entries at *offset*; *order* is "<" or ">", *index* the place in the chain, -1 outside of it.

        Raises BrokenDirectory if there are none.
        """
        self.order, self.index = order, index
        self._source = source
        count, entry, link = ("Q", "HHQ8s", "Q") if big else ("H", "HHI4s", "I")
        self._inline = 8 if big else 4
        self._pointer = struct.Struct(order + link)
        entries = struct.Struct(order + entry)
        (length,) = _unpack(source, offset, struct.Struct(order + count))
        if not 0 < length <= _MAX_ENTRIES:
            raise BrokenDirectory(f"{length} tags")
        start = offset + struct.calcsize(order + count)
        block = source.read(length * entries.size)
        found = list(entries.iter_unpack(block[: len(block) // entries.size * entries.size]))
        self._values = {tag: rest for tag, *rest in reversed(found)}  # the first one of a tag counts
        source.seek(start + length * entries.size)
        following = source.read(self._pointer.size)
        self.following = self._pointer.unpack(following)[0] if len(following) == self._pointer.size else 0

    def __contains__(self, tag: int) -> bool:
        return tag in self._values

    def numbers(self, tag: int, *, at_most: int = 64) -> tuple[Number, ...]:
        """Return the first values of *tag*; empty if it is missing or is no number."""
        if tag not in self._values:
            return ()
        kind, count, inline = self._values[tag]
        if kind not in _TYPES:
            return ()
        layout = _TYPES[kind]
        size = struct.calcsize("=" + layout)
        data = self._bytes(min(count, at_most) * size, count * size, inline)
        there = len(data) // size
        numbers = struct.unpack(f"{self.order}{there * len(layout)}{layout[0]}", data[: there * size])
        if kind in _RATIOS:
            return tuple(a / b if b else 0.0 for a, b in zip(numbers[::2], numbers[1::2], strict=True))
        return numbers

    def integers(self, tag: int, *, at_most: int = 64) -> tuple[int, ...]:
        """Return the first values of *tag* without their fractions."""
        return tuple(int(number) if math.isfinite(number) else 0 for number in self.numbers(tag, at_most=at_most))

    def integer(self, tag: int, default: int) -> int:
        """Return the first value of *tag*, or *default*."""
        return next(iter(self.integers(tag, at_most=1)), default)

    def data(self, tag: int) -> bytes:
        """Return the bytes of *tag*; empty if it is missing."""
        if tag not in self._values:
            return b""
        kind, count, inline = self._values[tag]
        length = count * struct.calcsize("=" + _TYPES.get(kind, "B"))
        return self._bytes(min(length, _MAX_BYTES), length, inline)

    @property
    def is_auxiliary(self) -> bool:
        """Whether the image is a smaller copy of another one, or a mask."""
        old = self.integer(_SUBFILE_TYPE, 0) if _NEW_SUBFILE_TYPE not in self._values else 0
        return bool(self.integer(_NEW_SUBFILE_TYPE, 0) & _REDUCED_OR_MASK) or old == _OLD_REDUCED

    def _bytes(self, wanted: int, whole: int, inline: bytes) -> bytes:
        """Return the first *wanted* bytes of a value of *whole* bytes, or what the file has of them."""
        if whole <= self._inline:
            return inline[:wanted]
        offset = self._pointer.unpack(inline)[0]
        if offset > _MAX_OFFSET:
            return b""
        self._source.seek(offset)
        return self._source.read(min(wanted, _MAX_BYTES))


def main_directory(source: IO[bytes]) -> Directory:
    """Return the directory of the image that the TIFF in *source* shows.

    That is the first one, unless it says that it is a preview or a mask and another one is neither.
    Raises BrokenDirectory if there is none.
    """
    chain = _directories(source)
    first = next(chain)
    if not first.is_auxiliary:
        return first
    for each in chain:
        if not each.is_auxiliary and WIDTH in each:
            return each
    return first


def read_size(source: IO[bytes]) -> tuple[int, int]:
    """Return width and height in pixels as stored, or (0, 0) if they cannot be found."""
    try:
        directory = main_directory(source)
    except BrokenDirectory:
        return 0, 0
    return directory.integer(WIDTH, 0), directory.integer(HEIGHT, 0)


def unsupported(source: IO[bytes]) -> str:
    """Return the name of the variant if nothing here decodes it, or ""."""
    try:
        directory = main_directory(source)
    except BrokenDirectory:
        return ""
    source.seek(8)
    photometric = directory.integer(PHOTOMETRIC, -1)
    if photometric in _RAW or _DNG_VERSION in directory or source.read(len(_CANON_RAW)) == _CANON_RAW:
        return "the raw data of a camera"
    compression = directory.integer(COMPRESSION, 1)
    if compression not in _COMPRESSIONS:
        return f"TIFF with {_UNREADABLE.get(compression, f'compression {compression}')}"
    if photometric not in _PHOTOMETRICS:
        return f"TIFF in color space {photometric}"
    return _unsupported_samples(directory)


def _unsupported_samples(directory: Directory) -> str:
    depths = set(directory.integers(BITS)[: directory.integer(SAMPLES, 1)]) or {1}
    if len(depths) > 1:
        return "TIFF with channels of different depths"
    (bits,) = depths
    if not 0 < bits <= 32 and bits != 64:  # noqa: PLR2004 - the depths that exist
        return f"TIFF of {bits} bits"
    if set(directory.integers(SAMPLE_FORMAT)) & _COMPLEX:
        return "TIFF of complex numbers"
    return ""


def _directories(source: IO[bytes]) -> Iterator[Directory]:
    """Yield the directories of the chain, each after those below it. Raises BrokenDirectory if there is no first."""
    source.seek(0)
    head = source.read(16).ljust(16, b"\0")
    order = ">" if head[:2] == b"MM" else "<"
    big = struct.unpack_from(order + "H", head, 2)[0] == _BIG_TIFF
    offset = struct.unpack_from(order + "Q", head, 8)[0] if big else struct.unpack_from(order + "I", head, 4)[0]
    seen: set[int] = set()
    index = 0
    while offset and offset not in seen and len(seen) < _MAX_DIRECTORIES:
        seen.add(offset)
        try:
            directory = Directory(source, offset, order, big=big, index=index)
        except BrokenDirectory:
            if index == 0:
                raise
            return
        yield directory
        for below in directory.integers(_SUB_DIRECTORIES, at_most=_MAX_DIRECTORIES):
            if below not in seen and len(seen) < _MAX_DIRECTORIES:
                seen.add(below)
                try:
                    yield Directory(source, below, order, big=big, index=-1)
                except BrokenDirectory:
                    continue
        offset, index = directory.following, index + 1
    if index == 0:
        raise BrokenDirectory("there is none")


def _unpack(source: IO[bytes], offset: int, layout: struct.Struct) -> tuple[int, ...]:
    if offset > _MAX_OFFSET:
        raise BrokenDirectory("it is not in the file")
    source.seek(offset)
    data = source.read(layout.size)
    if len(data) < layout.size:
        raise BrokenDirectory("it is not in the file")
    return layout.unpack(data)


_COMPRESSIONS = frozenset({
    1, 2, 3, 4, 5, 6, 7, 8, 32766, 32771, 32773, 32809, 32909, 32946, 33003, 33004, 33005, 34676, 34677, 34712, 34887,
    34892, 34925, 34926, 34927, 50000, 50001, 50002, 52546,
})  # fmt: skip
_UNREADABLE = {
    9: "JBIG compression", 10: "JBIG compression", 34661: "JBIG compression", 34715: "JBIG2 compression",
    32895: "IT8 compression", 32896: "IT8 compression", 32897: "IT8 compression", 32898: "IT8 compression",
    32908: "Pixar compression", 32947: "Kodak DCS compression", 32767: "Sony ARW compression",
    34713: "Nikon NEF compression", 34718: "MDI compression", 34719: "MDI compression", 34720: "MDI compression",
    34933: "PNG compression",
    34934: "JPEG XR compression", 22610: "JPEG XR compression",
    65000: "Kodak DCR compression", 65535: "Pentax PEF compression",
}  # fmt: skip
_PHOTOMETRICS = frozenset({-1, 0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 32844, 32845})  # -1 if it is not written
_RAW = frozenset({32803, 34892})  # color filter arrays, linear sensor data
_COMPLEX = frozenset({5, 6})
