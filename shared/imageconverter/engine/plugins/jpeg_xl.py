"""JPEG XL (ISO/IEC 18181) by libjxl: still images and animations, one frame at a time.

What the code stream says of orientation, layers, spot colors and premultiplied alpha, the decoder applies.
"""

import io
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from PIL import Image, ImageFile

from imageconverter.engine.color import read_color, to_srgb
from imageconverter.engine.decoder_errors import ignore_decoder_errors
from imageconverter.engine.plugins import jxl_color, libjxl
from imageconverter.engine.plugins.deep import DeepColor, deep_color
from imageconverter.engine.plugins.libjxl import BasicInfo, Decoder, Samples
from imageconverter.errors import Unsupported

_HEADER = libjxl.BASIC_INFO | libjxl.COLOR_ENCODING
_PIXELS = libjxl.FRAME | libjxl.FULL_IMAGE
_EIGHT_BITS = 8
_PQ_PEAK = 10_000  # nits: what PQ can show, which says nothing of an image
_MAX_EXIF = 1024 * 1024
_MAX_FRAMES = 100_000  # that are counted
_MAX_SAMPLES = 500_000_000  # of all channels together: each takes four bytes while a frame is decoded
_MARK = 0x5A  # of samples that are not decoded yet
_NEGLIGIBLE = 0.02  # share of the pixels


class JpegXlFile(ImageFile.ImageFile):
    """A JPEG XL image; `seek` goes to a later frame, or back to the first."""

    format = "JXL"
    format_description = "JPEG XL image"

    def _open(self) -> None:
        """Read the header. Raises OSError if it is broken, Unsupported if there are too many channels."""
        self._data = self.fp.read() if self.fp else b""
        decoder, header = self._start()
        channels = header.color_channels + header.extra_channels
        if channels * header.width * header.height > _MAX_SAMPLES:
            raise Unsupported.variant(f"JPEG XL with {channels} channels")
        self._header = header
        self._size = header.width, header.height
        self._color = jxl_color.choose(decoder, header)
        is_cmyk = self._color.profile[16:20] == b"CMYK"
        self._black = decoder.channel(libjxl.BLACK) if is_cmyk else None
        if self._black is None:
            self._mode = ("L" if header.color_channels == 1 else "RGB") + ("A" if header.alpha_bits else "")
        else:
            self._mode = "RGBA" if header.alpha_bits else "CMYK"
        if self._color.cicp:
            self.info["cicp"] = self._color.cicp
        self._deep = self._deep_color()
        if self._color.profile and (not is_cmyk or self.mode == "CMYK"):
            self.info["icc_profile"] = self._color.profile
        if header.have_container and (exif := self._read_exif()):
            self.info["exif"] = exif
        if header.have_animation and header.loops != 1:
            self.info["loop"] = header.loops
        self._decoder: Decoder | None = None
        self._frame, self._decoded = 0, -1

    @cached_property
    def n_frames(self) -> int:
        """How many frames there are, by their headers; in a file that is cut off, one more than begin there."""
        if not self._header.have_animation:
            return 1
        count, event, is_last = 0, libjxl.FRAME, 0
        with ignore_decoder_errors():  # the frames before are intact
            decoder, _ = self._start(libjxl.FRAME)
            while count < _MAX_FRAMES and (event := decoder.step()) == libjxl.FRAME:
                count += 1
                is_last = decoder.frame_header().is_last
            if event == libjxl.NEED_MORE_INPUT and not is_last:
                count += 1
        return max(1, count)

    @property
    def is_animated(self) -> bool:
        """Whether there is a second frame."""
        return self.n_frames > 1

    def seek(self, frame: int) -> None:
        """Go to a *frame*, counted from 0; `load` decodes it. Raises EOFError if there are fewer."""
        if not 0 <= frame < self.n_frames:
            raise EOFError("no more frames")
        self._frame = frame

    def tell(self) -> int:
        """Return the number of the frame."""
        return self._frame

    def load(self) -> Any:
        """Decode the frame. Raises OSError if it is broken, or cut off and not the first one."""
        if self._frame < self._decoded:
            self._decoder = None
        if self._decoder is None:
            self._decoder, header = self._start(_PIXELS)
            jxl_color.choose(self._decoder, header)
            self._decoded = -1
        while self._decoded < self._frame:
            self._decode_next(self._decoder)
            self._decoded += 1
        return Image.Image.load(self)

    def load_end(self) -> None:
        """Do nothing: the file is read already."""

    def _start(self, events: int = 0) -> tuple[Decoder, BasicInfo]:
        """Return a decoder that has read the header, up to the color encoding, and will stop at *events*."""
        decoder = Decoder(self._data, _HEADER | events)
        if decoder.step() != libjxl.BASIC_INFO or decoder.step() != libjxl.COLOR_ENCODING:
            raise OSError("the header is cut off")
        return decoder, decoder.basic_info()

    def _decode_next(self, decoder: Decoder) -> None:
        width, height = self.size
        channels = self._header.color_channels + (self._header.alpha_bits > 0)
        kind = np.uint8 if self._color.curve is None and self._deep is None else np.uint16
        pixels: Samples = np.full((height, width, channels), _MARK, kind)
        black: Samples | None = None if self._black is None else np.empty((height, width), np.uint8)
        while (event := decoder.step()) != libjxl.FULL_IMAGE:
            match event:
                case libjxl.FRAME:
                    self.info["duration"] = self._milliseconds(decoder.frame_header().duration)
                case libjxl.NEED_PIXELS:
                    decoder.decode_into(pixels, black, self._black or 0)
                case libjxl.NEED_MORE_INPUT:
                    lacking = (pixels == _MARK).all(axis=2)
                    if self._frame or not decoder.flush():
                        raise OSError("it is cut off")
                    self.info["missing"] = _flat_share(pixels, lacking)
                    self.info["missing_detail"] = float(lacking.mean())
                    break
                case _:
                    raise EOFError("no more frames")
        self.im = self._assembled(pixels, black).im

    def _assembled(self, pixels: Samples, black: Samples | None) -> Image.Image:
        """Return the decoded channels as an image; in JPEG XL, 0 is full ink."""
        if self._color.curve is not None:
            pixels = self._to_eight_bits(pixels, self._color.curve)
        elif self._deep is not None:
            pixels = self._deep.levels(pixels, np.iinfo(np.uint16).max)
        if black is None:
            return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels, self.mode)
        inks = Image.fromarray(255 - np.dstack([pixels[..., :3], black]), "CMYK")
        if self.mode == "CMYK":
            return inks
        image = to_srgb(inks, self._color.profile)
        image.putalpha(Image.fromarray(np.ascontiguousarray(pixels[..., 3])))
        return image

    def _deep_color(self) -> DeepColor | None:
        """Return how to convert high dynamic range, of which 8 bits are too few; None if there is none."""
        if not self._color.is_hdr or self._header.bits <= _EIGHT_BITS:
            return None
        color, peak = read_color(io.BytesIO(), self, "JPEG XL"), self._header.intensity_target
        if color.high_dynamic_range is not None and 0 < peak < _PQ_PEAK:
            color = replace(color, high_dynamic_range=replace(color.high_dynamic_range, peak=peak))
        deep = deep_color(color, self.size)
        self.info["source_color"] = deep.left if deep else color
        return deep

    def _to_eight_bits(self, pixels: Samples, curve: Samples) -> Samples:
        """Apply the *curve* to the color and round the alpha, which has none."""
        colors = self._header.color_channels
        small = np.empty(pixels.shape, np.uint8)
        small[..., :colors] = curve[pixels[..., :colors]]
        small[..., colors:] = pixels[..., colors:] >> 8
        return small

    def _milliseconds(self, ticks: int) -> float:
        header = self._header
        return ticks * 1000 * header.ticks_denominator / header.ticks_numerator if header.ticks_numerator else 0

    def _read_exif(self) -> bytes:
        """Return the EXIF, which the box has after the offset of its TIFF header; b"" if there is none."""
        with ignore_decoder_errors():
            box = Decoder(self._data, libjxl.BOX).find_box(b"Exif", _MAX_EXIF)
            return box[4 + int.from_bytes(box[:4], "big") :]
        return b""


def _flat_share(pixels: Samples, lacking: Samples) -> float:
    """Return the share of the pixels of which nothing is known; *lacking* are those without their last detail.

    The rest of these is coarse. What is not known of a lossless image is flat, and usually reaches to a corner.
    """
    corners = (pixels[y, x] for y in (0, -1) for x in (0, -1))
    flat = max(float(((pixels == color).all(axis=2) & lacking).mean()) for color in corners)
    return flat if flat > _NEGLIGIBLE else 0.0


def _accept(head: bytes) -> bool:
    return head.startswith((b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"))


Image.register_open(JpegXlFile.format, JpegXlFile, _accept)
