"""Reading of metadata: camera, time, place and extents, from JPEG, PNG, TIFF, WebP, HEIC and AVIF.

Pillow reads the tags: it has opened the file and found the EXIF block; exifread would search the whole file for it
again. Files are untrusted: each of the five directories is read once, even if they form a cycle; a directory with
more than a thousand tags is ignored; long lists and values above 4 KiB are only counted; broken values are omitted.
No tag raises an error.
"""

import io
import math
import warnings
from collections.abc import Iterable
from fractions import Fraction
from typing import IO, Any, TypedDict

from PIL import Image
from PIL.ExifTags import IFD
from PIL.TiffImagePlugin import IFDRational, ImageFileDirectory_v2, TiffImageFile
from PIL.TiffTags import ASCII, BYTE, UNDEFINED

from imageconverter.engine.decode import ImageInfo
from imageconverter.engine.decoder_errors import ignore_decoder_errors
from imageconverter.engine.metadata import names
from imageconverter.engine.metadata.descriptions import Number, Tags, Value, describe

_MAX_TAGS = 1000  # in a directory; cameras write up to a hundred
_MAX_VALUE = 4096  # bytes, or characters of text
_MAX_NUMBERS = 16  # in a list

_BIG_TIFF = b"+"
_ORIENTATION = 0x0112
_TURNED, _SIDEWAYS = range(2, 9), range(5, 9)
_EXIF_HEADER = b"Exif\0\0"
_WINDOWS_TEXTS = range(0x9C9B, 0x9CA0)
_CODED_TEXTS = (0x9286, 0x1B, 0x1C)  # the user comment and two GPS tags; their first eight bytes name the encoding
_JOINERS = "\u200c\u200d"  # invisible, but part of the spelling of some languages and emoji


class Entry(TypedDict):
    """One tag. A rational becomes a number, several numbers a list; an undefined number is null."""

    id: int
    value: Any
    description: str
    """The value for people."""


Metadata = dict[str, dict[str, Entry]]
"""Entries by group and name. The group Header is always present, the others if they have entries."""


def read_metadata(source: IO[bytes], image: Image.Image, info: ImageInfo) -> Metadata:
    """Read the metadata of *image*, which `open_image` has opened from *source*, a seekable file.

    Extents in the group Header are in pixels, before the orientation in the group Exif is applied; the size in the
    group File is in bytes.
    """
    exif, gps, thumbnail = _read_tags(source, image)
    is_turned = info.format.oriented_by_decoder and exif.get(_ORIENTATION) in _SIDEWAYS
    width, height = info.size[::-1] if is_turned or info.is_sideways else info.size
    found: dict[str, Tags] = {
        "Header": {0x9001: width, 0x9002: height, 0x9010: info.format.name.lower()},
        "File": {0x0002: source.seek(0, io.SEEK_END)},
        "Exif": exif,
        "GPS": gps,
        "Thumbnail": thumbnail,
    }
    return {group: _entries(group, tags) for group, tags in found.items() if tags}


def _entries(group: str, tags: Tags) -> dict[str, Entry]:
    return {
        names.GROUPS[group][tag]: Entry(id=tag, value=_as_json(value), description=describe(group, tag, tags))
        for tag, value in tags.items()
    }


def _as_json(value: Value) -> Any:
    if isinstance(value, tuple):
        return [_as_json(each) for each in value]
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else float(value)
    return value


# --- from the file to values --------------------------------------------------------------------
def _read_tags(source: IO[bytes], image: Image.Image) -> tuple[Tags, Tags, Tags]:
    """Read the tags of the groups Exif, GPS and Thumbnail."""
    with warnings.catch_warnings(), ignore_decoder_errors(MemoryError):
        warnings.simplefilter("ignore")  # of what is broken
        stream = source if isinstance(image, TiffImageFile) else io.BytesIO(_exif_block(image))
        stream.seek(0)
        head = stream.read(8)
        if _BIG_TIFF in head[2:4]:
            head += stream.read(8)
        main = _Directory(head, stream, ImageFileDirectory_v2(head).next)
        sub = _Directory(head, stream, main.pointer(IFD.Exif), IFD.Exif)
        interop = _Directory(head, stream, sub.pointer(IFD.Interop), IFD.Interop)
        gps = _Directory(head, stream, main.pointer(IFD.GPSInfo), IFD.GPSInfo)
        thumbnail = _Directory(head, stream, main.next)
        exif = interop.decoded(names.EXIF) | sub.decoded(names.EXIF) | main.decoded(names.EXIF)
        if (
            _ORIENTATION in exif and image.info.get("original_orientation") in _TURNED
        ):  # the decoder of HEIC resets the tag
            exif[_ORIENTATION] = image.info["original_orientation"]
        return dict(sorted(exif.items())), gps.decoded(names.GPS), thumbnail.decoded(names.THUMBNAIL)
    return {}, {}, {}


def _exif_block(image: Image.Image) -> bytes:
    """Return the TIFF structure with the EXIF tags of an image that is not a TIFF itself."""
    block = image.info.get("exif")
    if block is None:  # ImageMagick's text in a PNG: three lines, then hexadecimal digits
        block = bytes.fromhex("".join(str(image.info.get("Raw profile type exif", "")).split("\n")[3:]))
    return bytes(block).removeprefix(_EXIF_HEADER).removeprefix(_EXIF_HEADER)  # some cameras write it twice


class _Directory(ImageFileDirectory_v2):
    """A directory of tags, which are decoded on demand."""

    def __init__(self, head: bytes, stream: IO[bytes], offset: int, group: int | None = None) -> None:
        """Read the directory at *offset*, 0 for none; of a broken one, the tags before the error are kept."""
        super().__init__(head, group=group)
        self.next = 0
        with ignore_decoder_errors(MemoryError):
            if offset and self._count(stream, offset) <= _MAX_TAGS:
                stream.seek(offset)
                self.load(stream)

    def _count(self, stream: IO[bytes], offset: int) -> int:
        stream.seek(offset)
        count = stream.read(8 if self._bigtiff else 2)
        return int.from_bytes(count, "little" if self._endian == "<" else "big")

    def pointer(self, tag: int) -> int:
        """Return the offset of another directory, 0 for none."""
        offset = self._decode(tag)
        return offset if isinstance(offset, int) else 0

    def decoded(self, known: Iterable[int]) -> dict[int, Value]:
        """Decode the tags that are *known*; empty values are omitted."""
        found = ((tag, self._decode(tag)) for tag in known)
        return {tag: value for tag, value in found if value not in (None, "", ())}

    def _decode(self, tag: int) -> Value:
        data = self._tagdata.get(tag)
        if data is None:
            return None
        kind = self.tagtype[tag]
        count = len(data) // self._load_dispatch[kind][0]
        if kind not in (ASCII, BYTE, UNDEFINED) and count > _MAX_NUMBERS:
            return f"[{count} values]"
        if kind != ASCII and len(data) > _MAX_VALUE:
            return f"[{len(data)} bytes]"
        with ignore_decoder_errors():
            raw = self[tag]
            if isinstance(raw, tuple) and len(raw) == 1:
                raw = raw[0]
            if isinstance(raw, str):
                return _text(raw.encode("latin-1"))  # Pillow decodes all text as Latin-1
            return self._from_bytes(tag, raw) if isinstance(raw, bytes) else _numbers(raw)
        return None

    def _from_bytes(self, tag: int, data: bytes) -> Value:
        """Interpret bytes as what they most likely are: text, a few numbers, or opaque data."""
        if tag in _WINDOWS_TEXTS:
            return _printable(data.decode("utf-16-le", "replace"))
        if tag in _CODED_TEXTS and data[:8] == b"UNICODE\0":
            return _printable(data[8:].decode("utf-16-le" if self._endian == "<" else "utf-16-be", "replace"))
        if tag in _CODED_TEXTS and data[:8] == b"JIS\0\0\0\0\0":
            return _printable(data[8:].decode("iso2022_jp", "replace"))
        if tag in _CODED_TEXTS:
            return _text(data.removeprefix(b"ASCII\0\0\0"))
        if len(data) > 1 and data.rstrip(b"\0").decode("latin-1").isprintable() and data.rstrip(b"\0").isascii():
            return _text(data)
        return _numbers(tuple(data)) if len(data) <= _MAX_NUMBERS else f"[{len(data)} bytes]"


def _numbers(raw: Any) -> Value:
    """Return one number, or several."""
    if not isinstance(raw, tuple):
        return _number(raw)
    numbers = tuple(_number(each) for each in raw)
    if all(each is None for each in numbers):
        return None
    return numbers[0] if len(numbers) == 1 else numbers


def _number(raw: Any) -> Number:
    """Return a number that JSON can represent; None for a division by zero, an infinity or NaN."""
    if isinstance(raw, IFDRational):
        return Fraction(int(raw.numerator), raw.denominator) if raw.denominator else None
    if isinstance(raw, float):
        return raw if math.isfinite(raw) else None
    return int(raw)


def _text(data: bytes) -> str:
    """Decode text that should be ASCII but can be UTF-8 or Latin-1."""
    try:
        return _printable(data.decode())
    except UnicodeDecodeError:
        return _printable(data.decode("latin-1"))


def _printable(text: str) -> str:
    """Remove control characters, and those that change the direction of text."""
    text = text[:_MAX_VALUE]
    return "".join(
        each if each.isprintable() or each in _JOINERS else " " * (each.isspace() or each == "\0") for each in text
    ).strip()
