"""The images among local files and folders."""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from imageconverter.engine import identify
from imageconverter.engine.source_types import HEAD_BYTES


class Signature(NamedTuple):
    """What changes with a file: its size in bytes, the time of its last change in nanoseconds, and its inode."""

    size: int
    modified: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> "Signature":
        """Return the signature of a file by its *status*."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ino)


class LocalImage(NamedTuple):
    """An image on this machine."""

    path: Path
    relative_path: str
    """The path relative to the folder in which it was found; only the name of a file that was named itself."""
    signature: Signature


class Failure(NamedTuple):
    """A file with which something failed."""

    relative_path: str
    reason: str


@dataclass
class LocalImages:
    """The images that were found."""

    images: list[LocalImage] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    """Files that are not images according to their first bytes."""
    failures: list[Failure] = field(default_factory=list)
    """Files that could not be read."""


def find_images(paths: Sequence[Path], *, recursive: bool = True, without: Path | None = None) -> LocalImages:
    """Find the images among *paths*, files or folders, with those below if it is *recursive*; each once.

    What is below the folder *without* is left out. Symbolic links to files are followed, those to folders are not.
    """
    found, seen = LocalImages(), set[Path]()
    excluded = None if without is None else without.resolve()
    for top in paths:
        for path, relative in _files(top, found.failures, excluded, recursive=recursive):
            if path in seen:
                continue
            seen.add(path)
            try:
                signature = _image_signature(path)
            except OSError as error:
                found.failures.append(Failure(str(relative), error.strerror or "It cannot be read."))
                continue
            if signature is None:
                found.skipped.append(str(relative))
            else:
                found.images.append(LocalImage(path, str(relative), signature))
    return found


def _files(
    top: Path, failures: list[Failure], excluded: Path | None, *, recursive: bool
) -> Iterator[tuple[Path, Path]]:
    """Yield each file and its relative path."""

    def on_error(error: OSError) -> None:
        failures.append(Failure(os.path.relpath(error.filename, top), error.strerror or "It cannot be read."))

    if not top.is_dir():
        yield top, Path(top.name)
        return
    for parent, folders, names in os.walk(top, onerror=on_error):
        folders[:] = sorted(each for each in folders if Path(parent, each).resolve() != excluded) if recursive else []
        for name in sorted(names):
            path = Path(parent, name)
            yield path, path.relative_to(top)


def _image_signature(path: Path) -> Signature | None:
    """Return the signature of the image at *path*, None if it is not an image."""
    if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would block
        return None
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        return Signature.of(os.fstat(file.fileno())) if identify(head) else None
