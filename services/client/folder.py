"""The images of a local folder and the names under which they are uploaded."""

import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import NamedTuple

from imageconverter.engine import identify
from imageconverter.engine.source_types import HEAD_BYTES
from imageconverter.errors import InvalidValue
from imageconverter.images.names import file_name

_SEPARATOR = " - "


class LocalImage(NamedTuple):
    """An image of the folder."""

    path: Path
    relative_path: str
    """The path relative to the folder."""
    name: str
    """The name under which it is uploaded, unique in the folder."""
    size: int
    """Bytes."""

    @property
    def is_renamed(self) -> bool:
        """Whether it is uploaded under another name than its own."""
        return file_name(self.path.name) != self.name


class Failure(NamedTuple):
    """A file that could not be converted."""

    relative_path: str
    reason: str


@dataclass
class Folder:
    """The contents of a folder."""

    images: list[LocalImage] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    """Files that are not images according to their first bytes."""
    failures: list[Failure] = field(default_factory=list)
    """Files that could not be read, and images whose names are invalid."""


def read_folder(top: Path) -> Folder:
    """Find the images below *top*. Symbolic links to files are followed, those to folders are not."""
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
    def on_error(error: OSError) -> None:
        failures.append(Failure(os.path.relpath(error.filename, top), error.strerror or "It cannot be read."))

    for parent, folders, names in os.walk(top, onerror=on_error):
        folders.sort()
        yield from (Path(parent, name) for name in sorted(names))


def _image_size(path: Path) -> int | None:
    """Return the size of the image at *path* in bytes, None if it is not an image."""
    if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would block
        return None
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        return os.fstat(file.fileno()).st_size if identify(head) else None


def _name(top: Path, found: list[tuple[Path, int]], folder: Folder) -> None:
    """Add each image under its own name or, if that is not unique, under one made of its relative path."""
    occurrences = Counter(path.name for path, _ in found)
    taken: set[str] = set()
    # Images with a unique name come first, so that no generated name takes it.
    for path, size in sorted(found, key=lambda each: (occurrences[each[0].name] > 1, len(each[0].parts), each[0])):
        relative_path = path.relative_to(top)
        try:
            name = file_name(path.name if occurrences[path.name] == 1 else _SEPARATOR.join(relative_path.parts))
            name = _unused(name, taken)
        except InvalidValue as error:
            folder.failures.append(Failure(str(relative_path), error.reason))
            continue
        taken.add(name)
        folder.images.append(LocalImage(path, str(relative_path), name, size))
    folder.images.sort(key=lambda image: image.relative_path)


def _unused(name: str, taken: set[str]) -> str:
    """Return *name*, with a number if it is in *taken*."""
    path, number, unused = PurePath(name), 2, name
    while unused in taken:
        unused, number = file_name(f"{path.stem} ({number}){path.suffix}"), number + 1
    return unused
