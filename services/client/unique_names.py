"""The names under which images of several folders are uploaded to one directory."""

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath
from typing import NamedTuple

from imageconverter.errors import InvalidValue
from imageconverter.images.names import file_name
from services.client.local_images import Failure, LocalImage

_SEPARATOR = " - "


class NamedImage(NamedTuple):
    """An image and the name under which it is uploaded."""

    image: LocalImage
    name: str

    @property
    def is_renamed(self) -> bool:
        """Whether it is uploaded under another name than its own."""
        return file_name(self.image.path.name) != self.name


def with_unique_names(images: Sequence[LocalImage], failures: list[Failure]) -> list[NamedImage]:
    """Return *images* under their own names or, if those are not unique, under names made of their relative paths.

    Those with invalid names are added to *failures*.
    """
    occurrences = Counter(image.path.name for image in images)
    taken: set[str] = set()
    named: list[NamedImage] = []

    def order(image: LocalImage) -> tuple[bool, int, str]:
        """Put images with a unique name first, so that no generated name takes it."""
        relative = PurePath(image.relative_path)
        return occurrences[image.path.name] > 1, len(relative.parts), image.relative_path

    for image in sorted(images, key=order):
        parts = PurePath(image.relative_path).parts
        try:
            name = file_name(image.path.name if occurrences[image.path.name] == 1 else _SEPARATOR.join(parts))
            name = _unused(name, taken)
        except InvalidValue as error:
            failures.append(Failure(image.relative_path, error.reason))
            continue
        taken.add(name)
        named.append(NamedImage(image, name))
    return sorted(named, key=lambda each: each.image.relative_path)


def _unused(name: str, taken: set[str]) -> str:
    """Return *name*, with a number if it is in *taken*."""
    path, number, unused = PurePath(name), 2, name
    while unused in taken:
        unused, number = file_name(f"{path.stem} ({number}){path.suffix}"), number + 1
    return unused
