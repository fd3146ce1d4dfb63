"""The Pillow plugin: a WebP or the frames of an animated one, composed by libwebp."""

from contextlib import suppress

import numpy as np
from PIL import Image, _webp

from imageconverter.engine.plugins.composed import ComposedImageFile
from imageconverter.engine.plugins.webp.parts import WebpParts

FORMAT = "OWN-WEBP"
_FILLS, _COMPARED = (0x00, 0xFF, 0x55, 0xAA, 0x33), 2
_SMALL, _MAX_PIXELS_A_BYTE = 1_000_000, 4096  # pixels that are worth a try if they are cut off
_BLOCK, _FILTERED = 16, 8  # rows of VP8 that are decoded together, and those above that are filtered with them
_OPAQUE = (255, 255)
_PROFILE, _EXIF, _XMP = "ICCP", "EXIF", "XMP "


class WebpImage(ComposedImageFile):
    """A WebP."""

    format = "WEBP"
    format_description = "WebP"

    def _open(self) -> None:
        self._parts = WebpParts(self.fp.read() if self.fp is not None else b"")
        if self._parts.is_incomplete:
            width, height = self._parts.size
            if width * height > max(_SMALL, self._parts.pixel_bytes * _MAX_PIXELS_A_BYTE):
                raise OSError("it is cut off after few of its pixels")
        try:
            self._decoder = _webp.WebPAnimDecoder(self._parts.file())
        except OSError:  # for chunks in a wrong order, or others that are faulty
            self._decoder = _webp.WebPAnimDecoder(self._parts.rebuilt())
        self._size, loop, _, self.n_frames, self._raw = self._decoder.get_info()
        self._mode = "RGBA" if self._raw == "RGBA" else "RGB"
        self._shown_until = 0
        if self.is_animated:
            self.info["loop"] = loop
        for name, key in ((_PROFILE, "icc_profile"), (_EXIF, "exif"), (_XMP, "xmp")):
            if content := self._decoder.get_chunk(name):
                self.info[key] = content

    @property
    def is_animated(self) -> bool:
        """Whether there is a second frame."""
        return bool(self.n_frames > 1)

    def _compose(self) -> Image.Image:
        if self._parts.is_incomplete:
            image, self.info["missing"] = self._salvaged()
            return image
        if self._parts.is_cut_off and not self.is_animated:
            self.info["missing"] = 0.0
        decoded = self._decoder.get_next()
        if decoded is None:
            raise OSError("its pixels cannot be decoded")
        data, until = decoded
        self.info["duration"], self._shown_until = until - self._shown_until, until
        return self._image(data)

    def _advance(self) -> None:
        if self._number + 1 < self.n_frames:
            return
        if self._parts.is_cut_off:
            raise OSError("frames are missing")
        raise EOFError("there are no more frames")

    def _image(self, data: bytes) -> Image.Image:
        if self._raw == "RGBA":
            image = Image.frombuffer("RGBA", self.size, data, "raw", "RGBA", 0, 1)
            if image.getchannel("A").getextrema() != _OPAQUE:
                return image
        return Image.frombytes("RGB", self.size, data, "raw", "RGBX")

    def _salvaged(self) -> tuple[Image.Image, float]:
        """Decode pixels that are cut off; returns the share of the rows that is missing, which are transparent.

        libwebp decodes only what looks whole. Rows that are the same regardless of what the missing bytes might be
        do not depend on them.
        """
        first, others, rows = b"", 0, self.height
        for fill in _FILLS:
            pixels = _decoded(self._parts.rebuilt(fill))
            if pixels and first:
                rows, others = min(rows, _equal_rows(first, pixels, self.height)), others + 1
            first = first or pixels
            if others == _COMPARED:
                break
        else:
            raise OSError("it is cut off, and nothing of it can be decoded")
        if rows < self.height and self._parts.is_lossy:
            above = rows // _BLOCK * _BLOCK - _FILTERED
            rows = max(0, above + _BLOCK if rows - above >= _BLOCK else above)
        image = self._image(first).convert("RGBA")
        image.paste((0, 0, 0, 0), (0, rows, *self.size))
        return image, 1 - rows / self.height


def _decoded(file: bytes) -> bytes:
    """Return the pixels of a *file* in four bytes each; nothing if it is broken."""
    with suppress(OSError):
        found = _webp.WebPAnimDecoder(file).get_next()
        return found[0] if found else b""
    return b""


def _equal_rows(first: bytes, second: bytes, height: int) -> int:
    """Return how many rows are the same from above."""
    one, other = (np.frombuffer(data, np.uint8).reshape(height, -1) for data in (first, second))
    differing = np.flatnonzero((one != other).any(axis=1))
    return int(differing[0]) if differing.size else height


Image.register_open(FORMAT, WebpImage, lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP")
