"""Which images were expensive, so that they are known as such when they come again."""

import hashlib
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer

_MAX_IMAGES = 4096
_PART_BYTES = 64 * 1024  # that are compared at both ends: images of many megabytes are not read for this


class CostMemory:
    """The images that were expensive, the last few thousand."""

    def __init__(self) -> None:
        self._expensive: OrderedDict[bytes, None] = OrderedDict()

    def is_expensive(self, image: bytes) -> bool:
        """Whether the image of this `identity` was expensive the last time."""
        return image in self._expensive

    def add(self, image: bytes, *, expensive: bool) -> None:
        """Remember what an image was."""
        self._expensive.pop(image, None)
        if expensive:
            self._expensive[image] = None
            if len(self._expensive) > _MAX_IMAGES:
                self._expensive.popitem(last=False)


def identity(source: "Buffer") -> bytes:
    """Return a digest of an image: of its length, its first and its last bytes."""
    view = memoryview(source).cast("B")
    digest = hashlib.blake2b(str(len(view)).encode(), digest_size=16)
    digest.update(view[:_PART_BYTES])
    digest.update(view[-_PART_BYTES:])
    return digest.digest()
