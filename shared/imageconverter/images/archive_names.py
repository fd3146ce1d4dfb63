"""Names in archives, which every operating system can extract."""

import unicodedata
from pathlib import PurePosixPath
from typing import Final

# Windows refuses these characters and names, and cuts the dots and spaces at the end.
_REPLACED: Final = str.maketrans(dict.fromkeys('<>:"|?*', "_"))
_DEVICES: Final = frozenset(
    {"con", "prn", "aux", "nul", *(f"{name}{digit}" for name in ("com", "lpt") for digit in "0123456789")}
)


class ArchiveNames:
    """The names of an archive: safe, and unique also where letter case and Unicode form do not count."""

    def __init__(self) -> None:
        """Begin without names."""
        self._taken: set[str] = set()

    def add(self, path: str) -> str:
        """Return the name of the file at *path*, whose segments are in normal form; of equal paths it is another."""
        name = "/".join(map(_safe, path.split("/")))
        found, number = PurePosixPath(name), 1
        while (folded := unicodedata.normalize("NFC", str(found).casefold())) in self._taken:
            number += 1
            found = PurePosixPath(name).with_stem(f"{PurePosixPath(name).stem} ({number})")
        self._taken.add(folded)
        return str(found)


def _safe(segment: str) -> str:
    segment = segment.translate(_REPLACED)
    if segment != (cut := segment.rstrip(" .")):
        segment = cut + "_"
    return f"_{segment}" if segment.partition(".")[0].rstrip().lower() in _DEVICES else segment
