"""HEIC of 10 and 12 bits in high dynamic range: of these, the plugin of pillow-heif makes 8 bits only.

All other files are decoded by that plugin. The module cannot be imported without pillow-heif, which is an extra.
"""

import io
from typing import Any

import numpy as np
import pillow_heif
from PIL import Image
from pillow_heif.as_plugin import HeifImageFile

from imageconverter.engine.color import read_color
from imageconverter.engine.plugins.deep import DeepColor, deep_color

FORMAT = "OWN-HEIF"
_EIGHT, _DEEPEST = 8, 0xFFFF
_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")


class HeicImage(HeifImageFile):
    """A HEIC."""

    def _open(self) -> None:
        source = self.fp
        if source is None:
            raise ValueError("the file is closed")
        data = source.read()
        source.seek(0)
        super()._open()  # type: ignore[no-untyped-call]
        self._data, self._deep = b"", self._deep_color(data)
        if self._deep is not None:
            self._data = data

    def _deep_color(self, data: bytes) -> DeepColor | None:
        if self.info.get("bit_depth", _EIGHT) <= _EIGHT:
            return None
        color = read_color(io.BytesIO(data), self, "HEIC")
        deep = deep_color(color, self.size)
        self.info["source_color"] = deep.left if deep else color
        return deep

    def load(self) -> Any:
        """Decode the primary image."""
        data, self._data = self._data, b""
        if data and self._deep is not None:
            file = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False, hdr_to_16bit=True)
            samples = np.asarray(file[file.primary_index])
            image = Image.fromarray(self._deep.levels(samples, _DEEPEST))
            self._size, self._mode, self.im, self._heif_file = image.size, image.mode, image.im, None
        return super().load()  # type: ignore[no-untyped-call]


Image.register_open(FORMAT, HeicImage, lambda head: head[4:8] == b"ftyp" and head[8:12] in _BRANDS)
