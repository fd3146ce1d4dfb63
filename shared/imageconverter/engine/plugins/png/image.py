"""The Pillow plugin: a PNG, or the frames of an animated one, each composed with those before it."""

import io

from PIL import Image

from imageconverter.engine import png
from imageconverter.engine.color import read_color, to_eight_bits
from imageconverter.engine.plugins.canvas import Box, Canvas
from imageconverter.engine.plugins.composed import ComposedImageFile
from imageconverter.engine.plugins.deep import DeepColor, deep_color
from imageconverter.engine.plugins.png import pixels
from imageconverter.engine.plugins.png.parts import BACKGROUND, PREVIOUS, PngFrame, PngParts

FORMAT = "OWN-PNG"


class PngImage(ComposedImageFile):
    """A PNG."""

    format = "PNG"
    format_description = "Portable Network Graphics"

    def _open(self) -> None:
        self._parts = parts = PngParts(self.fp.read() if self.fp is not None else b"")
        self._size = parts.header.size
        self._mode = pixels.mode(parts.header)
        self._canvas = Canvas(self._size)
        self._undrawn: Image.Image | None = None
        self._before: Image.Image | None = None
        self._frames = parts.frames()
        self._frame = self._first_frame()
        self._set_info()

    @property
    def n_frames(self) -> int:
        """How many frames are there, the last ones of which may be broken."""
        return max(1, len(self._parts.controls)) if self._frame is not None else 1

    @property
    def declared_frames(self) -> int:
        """How many frames there should be."""
        return self._parts.declared_frames if self._frame is not None else 1

    @property
    def is_animated(self) -> bool:
        """Whether there is a second frame."""
        return self.n_frames > 1

    def _first_frame(self) -> PngFrame | None:
        """Return the first frame; None if the image is none, or the animation is not valid."""
        try:
            frame = next(self._frames, None)
        except OSError:
            return None
        if frame is not None and self._parts.begins_with_image and (frame.at, frame.size) != ((0, 0), self.size):
            return None
        return frame

    def _set_info(self) -> None:
        parts = self._parts
        if parts.profile:
            self.info["icc_profile"] = parts.profile
        if parts.exif:
            self.info["exif"] = b"Exif\0\0" + parts.exif
        if parts.exif_text:
            self.info["Raw profile type exif"] = parts.exif_text
        if parts.warnings:
            self.info["warnings"] = list(parts.warnings)
        self._deep = self._deep_color() if pixels.is_deep(parts.header) else None
        if self._frame is not None:
            self.info["loop"], self.info["duration"] = parts.plays, self._frame.milliseconds

    def _deep_color(self) -> DeepColor | None:
        color = read_color(io.BytesIO(self._parts.data), self, "PNG")
        deep = deep_color(color, self.size)
        self.info["source_color"] = deep.left if deep else color
        return deep

    def _compose(self) -> Image.Image:
        frame, is_first = self._frame, self._number == 0
        size, pieces = (self.size, self._parts.pieces) if frame is None else (frame.size, frame.pieces)
        decoded = pixels.decode(self._parts, size, pieces, self._deep)
        if decoded.is_damaged or self._parts.is_frame_damaged:
            self._warn("The checksum of the pixels is wrong; they may be damaged.")
        is_incomplete = bool(decoded.missing or decoded.missing_detail)
        if is_first and (is_incomplete or (self._parts.is_cut_off and not self.is_animated)):
            self.info["missing"] = decoded.missing
            if decoded.missing_detail:
                self.info["missing_detail"] = decoded.missing_detail
        elif is_incomplete:
            raise OSError("a frame is incomplete")
        image = decoded.image
        if frame is None or (is_first and frame.size == self.size):
            self._undrawn = image
            if "transparency" in image.info:
                self.info["transparency"] = image.info["transparency"]
            return image
        self._draw(image, frame)
        return self._canvas.image

    def _advance(self) -> None:
        if self._frame is None:
            raise EOFError("there is one image only")
        following = next(self._frames, None)
        if following is None or self._number + 1 >= self._parts.declared_frames:
            if self._number + 1 < self._parts.declared_frames or self._parts.is_cut_off:
                raise OSError("frames are missing")
            raise EOFError("there are no more frames")
        if self._undrawn is not None:
            self._draw(self._undrawn, self._frame)
            self._undrawn = None
            self.info.pop("transparency", None)
        if self._frame.dispose == BACKGROUND:
            self._canvas.clear(_region(self._frame))
        elif self._before is not None:
            self._canvas.replace(self._before, _region(self._frame))
        self._frame = following
        self.info["duration"] = following.milliseconds

    def _draw(self, image: Image.Image, frame: PngFrame) -> None:
        region = _region(frame)
        self._before = self._canvas.copy(region) if frame.dispose == PREVIOUS else None
        drawing = to_eight_bits(image)
        if drawing.mode == "LA":
            drawing = drawing.convert("RGBA")
        if frame.is_over:
            self._canvas.lay_over(drawing, region)
        else:
            self._canvas.replace(drawing, region)


def _region(frame: PngFrame) -> Box:
    (left, top), (width, height) = frame.at, frame.size
    return left, top, left + width, top + height


Image.register_open(FORMAT, PngImage, lambda head: head.startswith(png.SIGNATURE))
