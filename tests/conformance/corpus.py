"""The files of a folder that are, or claim to be, of a source type."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from imageconverter.engine.source_types import HEAD_BYTES, SOURCE_TYPES, SourceType, identify
from tests.conformance.readers import Colors

_BY_EXTENSION = {extension: each for each in SOURCE_TYPES for extension in each.extensions}
_SPECIAL = {b"\xff\x4f\xff\x51": ".j2k", b"P7": ".pam", b"PF": ".pfm", b"Pf": ".pfm"}
_PNG_SIGNALS = re.compile(rb"\0\0\0.(?:gAMA|cHRM|cICP)", re.DOTALL)
_SRGB_GAMMA = b"gAMA\0\0\xb1\x8f"  # 1/2.2, which most programs write into every file
_NCLX = re.compile(rb"colrnclx\0(.)\0(.)", re.DOTALL)
_SRGB_NCLX = {(primaries, transfer) for primaries in b"\1\2\5\6" for transfer in b"\1\2\6\x0d"}


@dataclass(frozen=True)
class CorpusFile:
    """A file and the type that it is judged as."""

    path: Path
    type: SourceType


def extension_of(data: bytes, source_type: SourceType) -> str:
    """Return the extension by which readers know the type of a file."""
    return next(
        (extension for magic, extension in _SPECIAL.items() if data.startswith(magic)), source_type.extensions[0]
    )


def colors_of(data: bytes, type_name: str) -> Colors:
    """Return how the colors of a file are encoded; *type_name* is its source type."""
    if type_name == "PNG":
        before_pixels = data.partition(b"IDAT")[0].replace(_SRGB_GAMMA, b"")
        if b"cICP" in before_pixels or (b"iCCP" not in before_pixels and b"sRGB" not in before_pixels):
            return Colors.SIGNALED if _PNG_SIGNALS.search(before_pixels) else Colors.PLAIN
        return Colors.PROFILE if b"iCCP" in before_pixels else Colors.PLAIN
    if type_name in ("AVIF", "HEIC") and b"colrprof" not in data and b"colrrICC" not in data:
        signals = {(found[1][0], found[2][0]) for found in _NCLX.finditer(data)}
        return Colors.SIGNALED if signals - _SRGB_NCLX else Colors.PLAIN
    # The signature of every ICC profile. JPEG XL compresses them, and has a form of its own for the usual ones.
    return Colors.PROFILE if b"acsp" in data or type_name == "JPEG XL" else Colors.PLAIN


def files_of(folder: Path) -> Iterator[CorpusFile]:
    """Yield the files below *folder* whose first bytes, or else whose names, are those of a source type."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        with path.open("rb") as file:
            found = identify(file.read(HEAD_BYTES)) or _BY_EXTENSION.get(path.suffix.lower())
        if found is not None:
            yield CorpusFile(path, found)
