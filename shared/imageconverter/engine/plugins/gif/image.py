"""The Pillow plugin: the frames of a GIF, each composed with those before it.

What GIF89a leaves open is done as Chromium does it: the background color is never painted; the first image enlarges a
screen that is too small for it, later ones are cropped; a color that no table has is black.
"""

from PIL import Image

from imageconverter.engine.gif import CutOffError, GifBlocks, GifFrame, enlarged
from imageconverter.engine.plugins.canvas import Box, Canvas
from imageconverter.engine.plugins.composed import ComposedImageFile
from imageconverter.engine.plugins.gif import pixels

FORMAT = "OWN-GIF"
_CLEAR, _RESTORE = 2, 3
_LARGE_FRAME = 1_000_000  # pixels that a frame may have although the screen has fewer
_GRAY_RAMP = bytes(level for level in range(256) for _ in range(3))


class GifImage(ComposedImageFile):
    """A GIF."""

    format = "GIF"
    format_description = "Graphics Interchange Format"

    def _open(self) -> None:
        self._data = self.fp.read() if self.fp is not None else b""
        self._blocks = GifBlocks(self._data)
        self._frames = self._blocks.frames()
        first = next(self._frames, None)
        if first is None:
            raise SyntaxError("there is no image in it")
        self._frame: GifFrame = first
        self._next = self._read_next()
        self._size = enlarged(self._blocks.screen, first)
        self._mode = "P"
        self._canvas = Canvas(self._size)
        self._undrawn: Image.Image | None = None
        self._before: Image.Image | None = None
        self._set_info()

    @property
    def is_animated(self) -> bool:
        """Whether there is a second image, be it incomplete."""
        return self._number > 0 or isinstance(self._next, GifFrame)

    @property
    def n_frames(self) -> int:
        """How many images there are."""
        count = 0
        try:
            for _ in GifBlocks(self._data).frames():
                count += 1
        except CutOffError:
            pass
        return count

    def _compose(self) -> Image.Image:
        frame, is_first = self._frame, self._number == 0
        width, height = frame.size
        if width * height > max(self.size[0] * self.size[1], _LARGE_FRAME):
            raise OSError("a frame is much larger than the screen")
        decoded = pixels.decode(frame)
        if decoded.missing and not is_first and not frame.is_complete:
            raise CutOffError("the last frame is incomplete")
        if is_first and (decoded.missing or isinstance(self._next, CutOffError)):
            self.info["missing"] = decoded.missing
        elif decoded.missing:
            self._warn("A part of a frame is missing.")
        image = decoded.image
        if decoded.height is not None:
            image = image.crop((0, 0, width, decoded.height))
        image.putpalette(self._colors())
        if frame.transparent is not None:
            image.info["transparency"] = frame.transparent
        if is_first and image.size == self.size:
            return self._as_stored(image)
        self._draw(image)
        return self._canvas.image

    def _advance(self) -> None:
        if isinstance(self._next, CutOffError):
            raise self._next
        if self._next is None:
            raise EOFError("there are no more frames")
        if self._undrawn is not None:
            self._draw(self._undrawn)
            self._undrawn = None
        region = self._region(self._frame.size)
        if self._frame.disposal == _CLEAR and region:
            self._canvas.clear(region)
        elif self._before is not None and region:
            self._canvas.replace(self._before, region)
        self._frame, self._next = self._next, self._read_next()
        self._set_info()

    def _read_next(self) -> GifFrame | CutOffError | None:
        """Return the next frame, None at the end, or why there is no end."""
        try:
            return next(self._frames, None)
        except CutOffError as error:
            return error

    def _set_info(self) -> None:
        self.info["duration"] = self._frame.milliseconds
        if self._blocks.loop is not None:
            self.info["loop"] = self._blocks.loop
        if self._blocks.comment:
            self.info["comment"] = self._blocks.comment
        self.info.pop("transparency", None)

    def _colors(self) -> bytes:
        """Return the 256 colors of the current frame; those that no table has are black."""
        return (self._frame.palette or self._blocks.palette or b"").ljust(len(_GRAY_RAMP), b"\0")

    def _as_stored(self, image: Image.Image) -> Image.Image:
        """Return the first frame with its palette, as it is stored, or gray if that is what the palette says."""
        self._undrawn = image
        if self._frame.transparent is not None:
            self.info["transparency"] = self._frame.transparent
        elif not self.is_animated and self._colors() == _GRAY_RAMP:
            return Image.frombytes("L", image.size, image.tobytes())
        return image

    def _draw(self, image: Image.Image) -> None:
        """Draw the current frame; what reaches beyond the screen is cropped."""
        region = self._region(self._frame.size)
        self._before = self._canvas.copy(region) if self._frame.disposal == _RESTORE and region else None
        region = self._region(image.size)
        if region:
            image = image.crop((0, 0, region[2] - region[0], region[3] - region[1]))
            if self._frame.transparent is None:
                self._canvas.replace(image.convert("RGB"), region)
            else:
                self._canvas.cover(image.convert("RGBA"), region)

    def _region(self, size: tuple[int, int]) -> Box | None:
        """Return the part of the screen that an image of *size* at the place of the current frame has."""
        left, top = self._frame.at
        right, bottom = min(left + size[0], self.size[0]), min(top + size[1], self.size[1])
        return (left, top, right, bottom) if left < right and top < bottom else None


Image.register_open(FORMAT, GifImage, lambda head: head.startswith((b"GIF87a", b"GIF89a")))
