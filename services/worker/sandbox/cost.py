"""Which images were expensive, so that they, and others like them, are known as such when they come."""

import hashlib
import io
import re
from collections import OrderedDict
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from imageconverter.engine.source_types import HEAD_BYTES, identify
from imageconverter.errors import ImageError

if TYPE_CHECKING:
    from typing_extensions import Buffer

_MAX_IMAGES = 4096
_PART_BYTES = 64 * 1024  # that are compared at both ends: images of many megabytes are not read for this
_SEARCHED_BYTES = 8 * 1024 * 1024
_ALIKE = 2  # images of one kind that were all expensive, after which the next one is expected to be
_MAX_SCANS = 4096  # that are counted
_SCAN = re.compile(b"\xff\xda")  # the marker of JPEG


class Traits(NamedTuple):
    """What images are recognized by."""

    identity: bytes
    """A digest: of the length, the first and the last bytes."""
    kind: tuple[str, int, int, int]
    """File type; binary orders of magnitude of bytes, pixels, and scans of a JPEG."""


class CostMemory:
    """What the last few thousand images, and kinds of images, have cost.

    An image is expected to be what it was before. Of other images the last ones of the same kind decide: they are
    expensive if all of these were, until one is not.
    """

    def __init__(self) -> None:
        self._images: OrderedDict[bytes, bool] = OrderedDict()
        self._kinds: OrderedDict[tuple[str, int, int, int], int] = OrderedDict()

    def is_expensive(self, image: Traits) -> bool:
        """Whether an image is expected to be expensive."""
        known = self._images.get(image.identity)
        return self._kinds.get(image.kind, 0) >= _ALIKE if known is None else known

    def add(self, image: Traits, *, expensive: bool) -> None:
        """Remember what an image was."""
        is_counted = self._images.pop(image.identity, None) is True
        self._images[image.identity] = expensive
        in_a_row = self._kinds.pop(image.kind, 0) + (not is_counted)
        if expensive:
            self._kinds[image.kind] = in_a_row
        for memory in (self._images, self._kinds):
            if len(memory) > _MAX_IMAGES:
                memory.popitem(last=False)


def traits(source: "Buffer") -> Traits:
    """Return what the image is recognized by; reads its header."""
    view = memoryview(source).cast("B")
    digest = hashlib.blake2b(str(len(view)).encode(), digest_size=16)
    digest.update(view[:_PART_BYTES])
    digest.update(view[-_PART_BYTES:])
    return Traits(digest.digest(), _kind(view))


def _kind(view: memoryview) -> tuple[str, int, int, int]:
    found = identify(bytes(view[:HEAD_BYTES]))
    if found is None:
        return "", len(view).bit_length(), 0, 0
    head = bytes(view[:_PART_BYTES])
    try:
        size = found.extents(io.BytesIO(head)) if found.extents is not None else None
    except ImageError:
        size = None
    pixels = 0 if size is None else size[0] * size[1]
    scans = _count_scans(view) if found.name == "JPEG" else 0
    return found.name, len(view).bit_length(), pixels.bit_length(), scans.bit_length()


def _count_scans(jpeg: memoryview) -> int:
    """Count by a regular expression, which searches in a third of the time that `bytes.count` takes."""
    return sum(1 for _ in islice(_SCAN.finditer(jpeg[:_SEARCHED_BYTES]), _MAX_SCANS))
