"""GKS metafiles (`GKSM`): line drawings of the Graphical Kernel System, drawn on white, 1,024 pixels long."""

from typing import Any

from PIL import Image, ImageFile

from rare_formats.gksm.header import read_header
from rare_formats.gksm.image import Drawing, find_window, window_size
from rare_formats.gksm.items import read_items

_MAX_BYTES = 64 * 1024 * 1024


class GksmImageFile(ImageFile.ImageFile):
    """The first image of a GKS metafile, of mode RGB."""

    format = "GKSM"
    format_description = "GKS metafile"

    def _open(self) -> None:
        self._data = self.fp.read(_MAX_BYTES + 1) if self.fp else b""
        if len(self._data) > _MAX_BYTES:
            raise ValueError("the metafile is too long")
        self._header = read_header(self._data)
        self._window = find_window(read_items(self._data, self._header))
        self._size = window_size(self._window)
        self._mode = "RGB"
        self.tile = []

    def load(self) -> Any:
        """Draw the image at the first call."""
        if self._im is None:
            self.im = Drawing(self._header, read_items(self._data, self._header)).painted(self._window).im
            self._data = b""
        return super().load()


def _accept(prefix: bytes) -> bool:
    return prefix.startswith(b"GKSM")


Image.register_open(GksmImageFile.format, GksmImageFile, _accept)
Image.register_extensions(GksmImageFile.format, [".gksm", ".gks"])
