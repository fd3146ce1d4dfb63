"""ICO and CUR, icons and cursors of Windows: the largest image.

Where its alpha is 0 everywhere, or there is none, the mask after the pixels says what is transparent, as in Chromium.
"""

from dataclasses import replace
from typing import IO

from PIL import Image

from imageconverter.engine import ico
from imageconverter.engine.plugins import bmp, dib
from imageconverter.engine.plugins.decoded import DecodedImageFile, file_of, set_missing
from imageconverter.engine.plugins.png import PngImage

FORMAT = "OWN-ICO"
_ALPHA = 0xFF000000
_ALPHA_BITS = 32


class IcoImageFile(DecodedImageFile):
    """The largest image of an icon or cursor."""

    format = "ICO"
    format_description = "Windows Icon"

    def _open(self) -> None:
        best = ico.read_best(file_of(self))
        if best is None:
            raise ValueError("there is no image in it")
        self._best = best
        self._size, self._mode = best.size, "RGBA"

    def _decode(self) -> Image.Image:
        file, best = file_of(self), self._best
        if best.is_png:
            return self._png(file)
        header = dib.read_header(file, best.offset)
        width, height = best.size
        masks = header.masks
        if header.bits == _ALPHA_BITS and not masks[3]:
            masks = (*masks[:3], _ALPHA & ~(masks[0] | masks[1] | masks[2]))
        header = replace(header, width=width, height=height, masks=masks)
        image, rows = bmp.decode(file, header)
        set_missing(self, rows)
        if image.mode != "RGBA" and rows == height:
            transparent = _mask(file.read((width + 31) // 32 * 4 * height), header)
            if transparent is not None:
                image = image.convert("LA" if image.mode == "L" else "RGBA")
                image.putalpha(transparent)
        return image

    def _png(self, file: IO[bytes]) -> Image.Image:
        file.seek(self._best.offset)
        with PngImage(file) as image:
            if image.size != self.size:
                raise ValueError("the image in it has another size")
            image.load()
            self.info |= {
                key: image.info[key] for key in ("missing", "warnings", "transparency") if key in image.info
            }
            return image.copy()


def _mask(data: bytes, header: dib.Header) -> Image.Image | None:
    """Return the alpha that a mask means, in which 1 is transparent; None if it is incomplete."""
    stride = (header.width + 31) // 32 * 4
    if len(data) < stride * header.height:
        return None
    direction = 1 if header.is_top_down else -1
    return Image.frombytes("1", (header.width, header.height), data, "raw", "1;I", stride, direction).convert("L")


Image.register_open(FORMAT, IcoImageFile)
