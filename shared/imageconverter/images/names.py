r"""Names of files and directories that are safe to become part of an object's key.

Stores alias or refuse odd names (SeaweedFS reads ``a\b`` and ``a//b`` as ``a/b`` and cuts a segment at 255
bytes), so everything that is not plain is refused before it reaches a key.
"""

import unicodedata

from imageconverter.engine.source_types import KEPT_AS
from imageconverter.errors import InvalidValue
from imageconverter.quoting import quoted

_MAX_SEGMENT_BYTES = 255
_MAX_PATH_BYTES = 900  # S3 allows 1,024 for a key; the rest is for the prefixes
# Control, surrogate, private, unassigned, line and paragraph separators; and the bidi controls below.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
_REFUSED_CHARACTERS = frozenset("/\\\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def file_name(name: str, *, field: str = "fileName") -> str:
    """Return *name* in Unicode normal form C, or raise InvalidValue if it is not a plain file name."""
    normal = unicodedata.normalize("NFC", name)
    if not normal.strip(" .") or normal != normal.strip(" "):
        problem = "is empty, only dots, or begins or ends with a space"
        raise InvalidValue(f"The name {quoted(name)} {problem}.", field=field)
    if any(c in _REFUSED_CHARACTERS or unicodedata.category(c) in _REFUSED_CATEGORIES for c in normal):
        raise InvalidValue(f"The name {quoted(name)} has a path separator or a control character.", field=field)
    if len(normal.encode()) > _MAX_SEGMENT_BYTES:
        raise InvalidValue(f"The name {quoted(name)} is longer than 255 bytes.", field=field)
    return normal


def directory_path(path: str, *, field: str = "path") -> str:
    """Return *path* with every segment checked as by `file_name`; it is relative and has no trailing slash."""
    normal = "/".join(file_name(segment, field=field) for segment in path.split("/"))
    if len(normal.encode()) > _MAX_PATH_BYTES:
        raise InvalidValue(f"The path {quoted(path)} is longer than 900 bytes.", field=field)
    return normal


def with_extension(name: str, extensions: tuple[str, ...]) -> str:
    """Return *name* unchanged if it ends in one of *extensions*, else with the first of them instead.

    >>> with_extension("photo.JPG", (".jpg", ".jpeg"))
    'photo.JPG'
    >>> with_extension("scan.tiff", (".png",))
    'scan.png'
    """
    if suffix(name) in extensions:
        return name
    room = _MAX_SEGMENT_BYTES - len(extensions[0])
    return _stem(name).encode()[:room].decode(errors="ignore") + extensions[0]


def has_room(name: str, extensions: tuple[str, ...]) -> bool:
    """Whether `with_extension` does not have to cut *name*: what it cuts could become the name of another image."""
    return suffix(name) in extensions or len((_stem(name) + extensions[0]).encode()) <= _MAX_SEGMENT_BYTES


def suffix(name: str) -> str:
    """Return the extension of *name* in lower case, with its dot; "" if it has none.

    >>> suffix("photo.JPG"), suffix(".jpg"), suffix("photo.")
    ('.jpg', '', '')
    """
    dot = name.rfind(".")
    return name[dot:].lower() if 0 < dot < len(name) - 1 else ""


def _stem(name: str) -> str:
    """Return *name* without the extension of a source type; others stay: "report.2025" keeps its "2025"."""
    return name[: -len(suffix(name))] if suffix(name) in KEPT_AS else name
