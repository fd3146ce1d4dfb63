"""The header of a PNM: PBM, PGM, PPM and PAM by Netpbm's manual, PFM by its author Debevec's description."""

import math
import re
from dataclasses import dataclass
from typing import IO

from imageconverter.engine.geometry import Size

BITS, LEVELS, COLORS = range(3)
"""What the numbers of PBM, of PGM and of PPM are."""

_MAX_HEADER = 1 << 16  # bytes, with comments
_MAX_MAXIMUM, _SUPPORTED_MAXIMUM = (1 << 32) - 1, 0xFFFF
_COMMENT = re.compile(rb"#[^\r\n]*")
_KINDS = {b"P1": (1, BITS), b"P2": (1, LEVELS), b"P3": (3, COLORS), b"P4": (1, BITS), b"P5": (1, LEVELS),
          b"P6": (3, COLORS), b"Pf": (1, LEVELS), b"PF": (3, COLORS)}  # fmt: skip
_TEXTS = (b"P1", b"P2", b"P3")


@dataclass(frozen=True)
class Header:
    """The fields of a header."""

    kind: bytes
    """P1 to P7, Pf or PF."""
    width: int
    height: int
    """Sides in pixels; 0 if the header is broken."""
    channels: int
    maximum: int
    """Of a sample; 0 of floating point numbers."""
    scale: float
    """Of floating point numbers: the value of white; negative if they are little-endian."""
    tuple_type: str
    """What the channels of a PAM are."""
    pixels: int
    """Their offset."""

    @property
    def is_text(self) -> bool:
        """Whether samples are decimal numbers."""
        return self.kind in _TEXTS


def is_pnm(head: bytes) -> bool:
    """Whether a file that begins with *head* is a PNM: a letter, a kind, and a space or a comment."""
    return head[:2] in (*_KINDS, b"P7") and head[2:3] in (b" ", b"\t", b"\r", b"\n", b"\v", b"\f", b"#")


def read_size(source: IO[bytes]) -> Size:
    """Read width and height; 0 if the header is broken."""
    try:
        header = read(source)
    except ValueError:
        return 0, 0
    return header.width, header.height


def unsupported(source: IO[bytes]) -> str:
    """Return the name of a variant that nothing here decodes, or ""."""
    try:
        header = read(source)
    except ValueError:
        return ""  # broken, which the decoder says
    return "PNM of more than 16 bits" if header.maximum > _SUPPORTED_MAXIMUM else ""


def read(source: IO[bytes]) -> Header:
    """Read the header of the first image. Raises ValueError if it is broken."""
    source.seek(0)
    head = source.read(_MAX_HEADER)
    return _pam(head) if head[:2] == b"P7" else _plain(head)


def _plain(head: bytes) -> Header:
    kind = head[:2]
    channels, numbers = _KINDS[kind]
    is_float = kind in (b"Pf", b"PF")
    fields = []
    at = 2
    for _ in range(2 if numbers == BITS else 3):
        field, at = _field(head, at)
        fields.append(field)
    at += 1  # one space
    maximum, scale = 1, 1.0
    if is_float:
        maximum, scale = 0, float(fields[2])
        if not scale or not math.isfinite(scale):
            raise ValueError(f"the scale is {scale}")
    elif numbers != BITS:
        maximum = _integer(fields[2], _MAX_MAXIMUM)
    return Header(kind, _integer(fields[0]), _integer(fields[1]), channels, maximum, scale, "", at)


def _field(head: bytes, at: int) -> tuple[bytes, int]:
    """Return the field after spaces and comments, and where it ends; a comment right after it belongs to it."""
    end = at
    while end < len(head) and (head[end : end + 1].isspace() or head[end : end + 1] == b"#"):
        end = comment.end() if (comment := _COMMENT.match(head, end)) else end + 1
    start = end
    while end < len(head) and not head[end : end + 1].isspace() and head[end : end + 1] != b"#":
        end += 1
    field = head[start:end]
    if not field or end == len(head):
        raise ValueError("the header has no end")
    comment = _COMMENT.match(head, end)
    return field, comment.end() if comment else end


def _pam(head: bytes) -> Header:
    fields = {b"WIDTH": b"", b"HEIGHT": b"", b"DEPTH": b"", b"MAXVAL": b"", b"TUPLTYPE": b""}
    at = 2
    while True:
        end = head.find(b"\n", at)
        if end < 0:
            raise ValueError("the header has no end")
        name, _, value = head[at:end].strip().partition(b" ")
        at = end + 1
        if name == b"ENDHDR":
            break
        if name in fields:
            fields[name] = (fields[name] + b" " + value).strip()
    width, height, channels = (_integer(fields[name]) for name in (b"WIDTH", b"HEIGHT", b"DEPTH"))
    maximum = _integer(fields[b"MAXVAL"], _MAX_MAXIMUM)
    return Header(b"P7", width, height, channels, maximum, 1, fields[b"TUPLTYPE"].decode("latin-1").upper(), at)


def _integer(field: bytes, most: int = 1 << 31) -> int:
    """Read a number from 1 to *most*."""
    value = int(field) if field.isdigit() and len(field) <= 10 else 0  # noqa: PLR2004 - digits
    if not 1 <= value <= most:
        raise ValueError(f"a number of the header is {field[:20]!r}")
    return value
