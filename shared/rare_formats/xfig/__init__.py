"""XFIG drawings (`#FIG`), of the versions 1.4 to 3.2, painted at a hundred pixels an inch on white.

The files that a drawing names are not opened.
"""

from typing import Any

from PIL import Image, ImageFile

from rare_formats.xfig.painting import Painting
from rare_formats.xfig.parser import parse

_MAX_BYTES = 64 * 1024 * 1024


class XfigImageFile(ImageFile.ImageFile):
    """A FIG file: read when it is opened, since its size is the extent of what it draws, and painted when loaded."""

    format = "XFIG"
    format_description = "XFIG drawing"

    _painting: Painting | None = None

    def _open(self) -> None:
        data = self.fp.read(_MAX_BYTES + 1) if self.fp else b""
        if len(data) > _MAX_BYTES:
            raise ValueError("The drawing is too long.")
        self._painting = Painting(parse(data))
        self._size = self._painting.size
        self._mode = "RGB"
        self.tile = []

    def load(self) -> Any:
        """Paint the drawing, at the first call."""
        if self._painting is not None:
            self.im = self._painting.image().im
            self._painting = None
        return super().load()


def _accept(prefix: bytes) -> bool:
    return prefix.startswith(b"#FIG")


Image.register_open(XfigImageFile.format, XfigImageFile, _accept)
Image.register_extensions(XfigImageFile.format, [".fig"])
Image.register_mime(XfigImageFile.format, "image/x-xfig")
