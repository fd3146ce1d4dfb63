"""XFIG drawings (`#FIG`) of the versions 1.4 to 3.2, drawn on white at 100 pixels an inch.

Files that a drawing refers to are not opened.
"""

from typing import Any

from PIL import Image, ImageFile

from rare_formats.xfig.parser import parse
from rare_formats.xfig.rendering import Rendering

_MAX_BYTES = 64 * 1024 * 1024


class XfigImageFile(ImageFile.ImageFile):
    """A FIG file: parsed when it is opened, because its size depends on its objects, and drawn when it is loaded."""

    format = "XFIG"
    format_description = "XFIG drawing"

    _rendering: Rendering | None = None

    def _open(self) -> None:
        data = self.fp.read(_MAX_BYTES + 1) if self.fp else b""
        if len(data) > _MAX_BYTES:
            raise ValueError("the drawing is too long")
        self._rendering = Rendering(parse(data))
        self._size = self._rendering.size
        self._mode = "RGB"
        self.tile = []

    def load(self) -> Any:
        """Draw it at the first call."""
        if self._rendering is not None:
            self.im = self._rendering.image().im
            self._rendering = None
        return super().load()


def _accept(prefix: bytes) -> bool:
    return prefix.startswith(b"#FIG")


Image.register_open(XfigImageFile.format, XfigImageFile, _accept)
Image.register_extensions(XfigImageFile.format, [".fig"])
Image.register_mime(XfigImageFile.format, "image/x-xfig")
