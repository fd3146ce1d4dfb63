"""AVIF of 10 and 12 bits in high dynamic range or linear light: of these, Pillow's plugin decodes 8 bits only.

All other files, and animations, are decoded by that plugin.
"""

from typing import Any

import imagecodecs
from PIL import AvifImagePlugin, Image

from imageconverter.engine.color import read_color
from imageconverter.engine.color.isobmff_colors import read_depth
from imageconverter.engine.plugins.deep import DeepColor, deep_color

FORMAT = "OWN-AVIF"
_EIGHT = 8


class AvifImage(AvifImagePlugin.AvifImageFile):
    """An AVIF, or its frames."""

    def _open(self) -> None:
        source = self.fp
        if source is None:
            raise ValueError("the file is closed")
        super()._open()
        self._deep: DeepColor | None = None
        self._depth = read_depth(source)
        if self._depth > _EIGHT and not self.is_animated:
            color = read_color(source, self, "AVIF")
            self._deep = deep_color(color, self.size)
            self.info["source_color"] = self._deep.left if self._deep else color

    def load(self) -> Any:
        """Decode the frame."""
        if not self.tile or self._deep is None or self.fp is None:
            return super().load()
        self.fp.seek(0)
        # With `index` it writes beyond its memory if there are several images (imagecodecs 2026.3.6).
        samples = imagecodecs.avif_decode(self.fp.read(), numthreads=1)
        image = Image.fromarray(self._deep.levels(samples, (1 << self._depth) - 1))
        if image.size != self.size:
            raise ValueError("the image has another size than its header says")
        self._mode, self.im, self.tile = image.mode, image.im, []
        return super().load()


Image.register_open(FORMAT, AvifImage, lambda head: head[4:8] == b"ftyp")
