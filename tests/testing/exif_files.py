"""EXIF blocks for tests, images that contain them, and the metadata that is read from them."""

import io
import json
import struct
from collections.abc import Sequence
from typing import Any, Literal

from pillow_heif import HeifImagePlugin  # noqa: F401 - registers its encoder

from imageconverter.engine import Limits
from imageconverter.engine.decode import load, open_image
from imageconverter.engine.metadata import Metadata, read_metadata
from tests.testing import drawings

Order = Literal["<", ">"]
Field = tuple[int, int, int, bytes]
"""Tag, type, count, and the bytes of the value."""

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, SRATIONAL, FLOAT, DOUBLE = 1, 2, 3, 4, 5, 7, 10, 11, 12
EXIF_POINTER, GPS_POINTER, INTEROP_POINTER = 0x8769, 0x8825, 0xA005
LIMITS = Limits()


def text(tag: int, value: str | bytes) -> Field:
    """Return a field of text with its terminating zero."""
    data = (value.encode() if isinstance(value, str) else value) + b"\0"
    return (tag, ASCII, len(data), data)


def raw(tag: int, value: bytes, kind: int = UNDEFINED) -> Field:
    """Return a field of bytes."""
    return (tag, kind, len(value), value)


def numbers(tag: int, kind: int, *values: float, order: Order = "<") -> Field:
    """Return a field of numbers; rationals are given as alternating numerators and denominators."""
    code = {SHORT: "H", LONG: "L", RATIONAL: "L", SRATIONAL: "l", FLOAT: "f", DOUBLE: "d"}[kind]
    count = len(values) // 2 if kind in (RATIONAL, SRATIONAL) else len(values)
    return (tag, kind, count, struct.pack(f"{order}{len(values)}{code}", *values))


def directory(fields: Sequence[Field], at: int, following: int = 0, *, order: Order = "<") -> bytes:
    """Return a directory for the offset *at*, followed by the long values of its fields."""
    data_at = at + 2 + 12 * len(fields) + 4
    entries, data = struct.pack(order + "H", len(fields)), b""
    for tag, kind, count, value in fields:
        held = value if len(value) <= 4 else struct.pack(order + "L", data_at + len(data))
        entries += struct.pack(order + "HHL", tag, kind, count) + held.ljust(4, b"\0")
        data += value if len(value) > 4 else b""
    return entries + struct.pack(order + "L", following) + data


def block(
    main: Sequence[Field] = (),
    *,
    sub: Sequence[Field] = (),
    gps: Sequence[Field] = (),
    interop: Sequence[Field] = (),
    thumbnail: Sequence[Field] = (),
    order: Order = "<",
) -> bytes:
    """Return an EXIF block; the directories are in reverse order, so that each can point to those before it."""
    body, at = b"", 8

    def add(fields: Sequence[Field], following: int = 0) -> int:
        nonlocal body
        start = at + len(body)
        body += directory(fields, start, following, order=order)
        return start

    sub = [*sub, numbers(INTEROP_POINTER, LONG, add(interop), order=order)]
    pointers = [numbers(EXIF_POINTER, LONG, add(sub), order=order), numbers(GPS_POINTER, LONG, add(gps), order=order)]
    following = add(thumbnail) if thumbnail else 0
    first = add([*main, *pointers], following)
    return (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "L", first) + body


def holding(exif: bytes, kind: str = "PNG", size: tuple[int, int] = (6, 4)) -> bytes:
    """Return a small image with an EXIF block."""
    file = io.BytesIO()
    drawings.photo(size).save(file, kind, exif=b"Exif\0\0" + exif)
    return file.getvalue()


def read(data: bytes) -> Metadata:
    """Read the metadata of a file, and check that it is JSON of a bounded size."""
    source = io.BytesIO(data)
    image, info = open_image(source, LIMITS)
    metadata = read_metadata(source, image, info)
    load(image, info, at_least=info.size)  # still possible after the metadata was read
    assert len(json.dumps(metadata, allow_nan=False)) < 200_000
    return metadata


def exif_of(*fields: Field, **others: Any) -> dict[str, tuple[Any, str]]:
    """Return value and description by name of the fields of the EXIF directory."""
    entries = read(holding(block(sub=fields, **others))).get("Exif", {})
    return {name: (entry["value"], entry["description"]) for name, entry in entries.items()}


def gps_of(*fields: Field) -> dict[str, tuple[Any, str]]:
    """Return value and description by name of the fields of the GPS directory."""
    entries = read(holding(block(gps=fields))).get("GPS", {})
    return {name: (entry["value"], entry["description"]) for name, entry in entries.items()}
