"""PM, the image files of the University of Pennsylvania's vision software, which xv and MegaWave2 read and write.

Sources: pm.h (1990) as distributed with MegaWave2, and xv's xvpm.c. A file has seven integers of 32 bits (the word
"VIEW", the numbers of planes, rows, columns and bands, the form of an element, the length of a comment), then the
planes, then the comment.
"""

import struct

from PIL import Image, ImageFile
from PIL.ImageFile import _Tile

_HEADER_BYTES = 28
_BYTE, _INTEGER = 0x8001, 0x8004  # forms: PM_C and PM_I; their low byte is the length of an element


class PmImageFile(ImageFile.ImageFile):
    """A PM image, of mode L or RGB; its alpha is ignored, as in xv: writers leave it empty."""

    format = "PM"
    format_description = "PM image (University of Pennsylvania)"

    def _open(self) -> None:
        if self.fp is None:
            raise ValueError("the file is closed")
        head = self.fp.read(_HEADER_BYTES)
        big_endian = head.startswith(b"VIEW")
        _, planes, height, width, bands, form, _ = struct.unpack(">7i" if big_endian else "<7i", head)
        if min(planes, height, width, bands) < 1:
            raise ValueError("the image is empty")
        self._size = width, height
        self.tile = []
        if bands != 1:
            raise ValueError(f"images of {bands} bands are not supported")
        if form == _BYTE and planes in (1, 3, 4):
            names = "L" if planes == 1 else "RGB"
            self._mode = names
            for plane, name in enumerate(names):
                offset = _HEADER_BYTES + plane * width * height
                self.tile.append(_Tile("raw", (0, 0, width, height), offset, (name, 0, 1)))
        elif form == _INTEGER and planes == 1:
            # Red is in the lowest byte of an integer, alpha in the highest.
            self._mode = "RGB"
            rawmode = "XBGR" if big_endian else "RGBX"
            self.tile.append(_Tile("raw", (0, 0, width, height), _HEADER_BYTES, (rawmode, 0, 1)))
        else:
            raise ValueError(f"images of form {form & 0xFFFF:#06x} with {planes} planes are not supported")
        if planes * height * width * (form & 0xFF) > self.fp.seek(0, 2) - _HEADER_BYTES:
            raise ValueError("the file is truncated")


def _accept(prefix: bytes) -> bool:
    return prefix.startswith((b"VIEW", b"WEIV"))


Image.register_open(PmImageFile.format, PmImageFile, _accept)
Image.register_extensions(PmImageFile.format, [".pm"])
