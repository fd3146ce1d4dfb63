"""AVIF: Pillow's plugin, which shows more than the clean aperture, and refuses images for faults in other parts.

Images of 10 and 12 bits in high dynamic range or linear light, of which that decodes 8 bits only, are decoded by
imagecodecs.
"""

import io
from typing import Any

import imagecodecs
from PIL import AvifImagePlugin, Image

from imageconverter.engine import isobmff
from imageconverter.engine.color import read_color
from imageconverter.engine.color.isobmff_colors import read_depth
from imageconverter.engine.decoder_errors import DECODER_ERRORS, raise_refusal
from imageconverter.engine.plugins import avif_boxes, edit_list
from imageconverter.engine.plugins.decoded import file_of
from imageconverter.engine.plugins.deep import DeepColor, deep_color

FORMAT = "OWN-AVIF"
_EIGHT = 8


class AvifImage(AvifImagePlugin.AvifImageFile):
    """An AVIF, or its frames, each cropped before it is turned: that is left to the EXIF orientation."""

    def _open(self) -> None:
        data = self._opened(avif_boxes.repaired(file_of(self).read()))
        if self.is_animated:
            self.info["loop"] = edit_list.plays(data)
        self._deep: DeepColor | None = None
        source = io.BytesIO(data)
        self._depth = read_depth(source)
        if self._depth > _EIGHT and not self.is_animated:
            color = read_color(source, self, "AVIF")
            self._deep = deep_color(color, self.size)
            self.info["source_color"] = self._deep.left if self._deep else color
        self._data = data if self._deep is not None else b""
        properties = isobmff.track_properties(data) if self.is_animated else isobmff.image_properties(data)
        self._coded_size = self._size
        self._aperture = avif_boxes.clean_aperture(data, properties, self._size)
        self._set_size()

    def _opened(self, data: bytes) -> bytes:
        """Open *data*, if need be without the parts that the image does not need. Returns what could be opened."""
        file = self.fp
        try:
            try:
                self.fp = io.BytesIO(data)
                super()._open()
            except DECODER_ERRORS as error:
                raise_refusal(error)
                data = avif_boxes.without_ancillary(data)
                self.fp = io.BytesIO(data)
                super()._open()
                self.info["warnings"] = ["The metadata of the file are broken."]
        finally:
            self.fp = file
        return data

    def _set_size(self) -> None:
        if self._aperture is not None:
            left, top, right, bottom = self._aperture
            self._size = right - left, bottom - top

    def load(self) -> Any:
        """Decode the frame."""
        if not self.tile:
            return super().load()
        self._size = self._coded_size
        if self._deep is not None:
            self._decode_deep(self._deep)
        else:
            self.tile = [self.tile[0]._replace(extents=(0, 0, *self._coded_size))]
            super().load()
        if self._aperture is not None:
            self.im = self.im.crop(self._aperture)
            self._set_size()
        return Image.Image.load(self)

    def _decode_deep(self, deep: DeepColor) -> None:
        # With `index` it writes beyond its memory if there are several images (imagecodecs 2026.3.6).
        samples = imagecodecs.avif_decode(self._data, numthreads=1)
        image = Image.fromarray(deep.levels(samples, (1 << self._depth) - 1))
        if image.size != self.size:
            raise ValueError("the image has another size than its header says")
        self._mode, self.im, self.tile = image.mode, image.im, []


Image.register_open(FORMAT, AvifImage, lambda head: head[4:8] == b"ftyp")
