"""The Pillow plugin: a WebP or the frames of an animated one, composed by libwebp."""

from contextlib import suppress
from typing import Any

import numpy as np
from PIL import Image, _webp

from imageconverter.engine.plugins.composed import ComposedImageFile
from imageconverter.engine.plugins.webp.parts import WebpParts

FORMAT = "OWN-WEBP"
_FILLS = (0x00, 0xFF, 0x55, 0xAA, 0x33)
_BLOCK, _FILTERED = 16, 8  # rows of VP8 that are decoded together, and those above that are filtered with them
_OPAQUE = (255, 255)
_PROFILE, _EXIF = "ICCP", "EXIF"


class WebpImage(ComposedImageFile):
    """A WebP."""

    format = "WEBP"
    format_description = "WebP"

    def _open(self) -> None:
        self._parts = WebpParts(self.fp.read() if self.fp is not None else b"")
        try:
            self._decoder = _webp.WebPAnimDecoder(self._parts.file())
        except OSError:  # for chunks in a wrong order, or others that are faulty
            self._decoder = _webp.WebPAnimDecoder(self._parts.rebuilt())
        self._size, loop, _, self.n_frames, self._raw = self._decoder.get_info()
        self._mode = "RGBA" if self._raw == "RGBA" else "RGB"
        self._shown_until = 0
        if self.is_animated:
            self.info["loop"] = loop
        for name, key in ((_PROFILE, "icc_profile"), (_EXIF, "exif")):
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
        decoded: list[np.ndarray[Any, Any]] = []
        for fill in _FILLS:
            with suppress(OSError):
                found = _webp.WebPAnimDecoder(self._parts.rebuilt(fill)).get_next()
                if found is not None:
                    decoded.append(np.frombuffer(found[0], np.uint8).reshape(self.height, -1))
            if len(decoded) > 1:
                break
        else:
            raise OSError("it is cut off, and nothing of it can be decoded")
        differing = np.flatnonzero((decoded[0] != decoded[1]).any(axis=1))
        rows = int(differing[0]) if differing.size else self.height
        if differing.size and self._parts.is_lossy:
            rows = max(0, rows // _BLOCK * _BLOCK - _FILTERED)
        image = self._image(decoded[0].tobytes()).convert("RGBA")
        image.paste((0, 0, 0, 0), (0, rows, *self.size))
        return image, 1 - rows / self.height


Image.register_open(FORMAT, WebpImage, lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP")
