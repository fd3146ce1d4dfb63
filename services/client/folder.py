"""The images of a local folder, and the names under which they are sent."""

import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import NamedTuple

from imageconverter.engine import identify
from imageconverter.engine.source import HEAD_BYTES
from imageconverter.errors import InvalidValue
from imageconverter.images.names import file_name

_JOINT = " - "


class LocalImage(NamedTuple):
    """An image of the folder."""

    path: Path
    inside: str
    """Its path inside the folder."""
    name: str
    """The name it is sent under; no two of a folder have the same."""
    size: int
    """Bytes."""

    @property
    def is_renamed(self) -> bool:
        """Whether it is sent under another name than its own."""
        return file_name(self.path.name) != self.name


class Failure(NamedTuple):
    """A file that could not be converted."""

    inside: str
    reason: str


@dataclass
class Folder:
    """What a folder holds."""

    images: list[LocalImage] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    """Files that are no images, by their leading bytes."""
    failures: list[Failure] = field(default_factory=list)
    """What could not be read, and images whose names cannot be sent."""


def read_folder(top: Path) -> Folder:
    """Look at all files below *top*. Links to files are followed, links to folders are not."""
    folder = Folder()
    found: list[tuple[Path, int]] = []
    for path in _files(top, folder.failures):
        try:
            size = _image_size(path)
        except OSError as error:
            folder.failures.append(Failure(str(path.relative_to(top)), error.strerror or "It cannot be read."))
            continue
        if size is None:
            folder.skipped.append(str(path.relative_to(top)))
        else:
            found.append((path, size))
    _name(top, found, folder)
    return folder


def _files(top: Path, failures: list[Failure]) -> Iterator[Path]:
    def unreadable(error: OSError) -> None:
        failures.append(Failure(os.path.relpath(error.filename, top), error.strerror or "It cannot be read."))

    for parent, folders, names in os.walk(top, onerror=unreadable):
        folders.sort()
        yield from (Path(parent, name) for name in sorted(names))


def _image_size(path: Path) -> int | None:
    """Return the size of the image at *path* in bytes, None where it is none."""
    if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for ever
        return None
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        return os.fstat(file.fileno()).st_size if identify(head) else None


def _name(top: Path, found: list[tuple[Path, int]], folder: Folder) -> None:
    """Give each image its own name or, where another has that too, one that tells the sub-folder."""
    same = Counter(path.name for path, _ in found)
    taken: set[str] = set()
    # Those that can keep their names take them first.
    for path, size in sorted(found, key=lambda each: (same[each[0].name] > 1, len(each[0].parts), each[0])):
        inside = path.relative_to(top)
        try:
            name = file_name(path.name if same[path.name] == 1 else _JOINT.join(inside.parts))
            name = _free(name, taken)
        except InvalidValue as error:
            folder.failures.append(Failure(str(inside), error.reason))
            continue
        taken.add(name)
        folder.images.append(LocalImage(path, str(inside), name, size))
    folder.images.sort(key=lambda image: image.inside)


def _free(name: str, taken: set[str]) -> str:
    """Return *name*, with a number where it is taken."""
    pure, number, free = PurePath(name), 2, name
    while free in taken:
        free, number = file_name(f"{pure.stem} ({number}){pure.suffix}"), number + 1
    return free
