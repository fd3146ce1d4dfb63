"""The screen that an animation is drawn on, frame over frame."""

from PIL import Image

from imageconverter.engine.geometry import Size

Box = tuple[int, int, int, int]
"""A part of an image: left, top, right, bottom, in pixels."""


class Canvas:
    """An image that begins transparent; it has no alpha channel as long as nothing of it shines through.

    Regions lie within it. What is drawn has the size of its region.
    """

    def __init__(self, size: Size) -> None:
        self._size = size
        self._image: Image.Image | None = None

    @property
    def image(self) -> Image.Image:
        """What has been drawn: L, RGB or RGBA. It changes with the next drawing."""
        if self._image is None:
            self._image = Image.new("RGBA", self._size)
        return self._image

    def replace(self, drawing: Image.Image, region: Box) -> None:
        """Put a *drawing* (L, RGB or RGBA) in place of what the *region* showed."""
        if region == (0, 0, *self._size):
            self._image = drawing.copy()
        else:
            canvas = self._with_channels_of(drawing)
            canvas.paste(drawing if drawing.mode == canvas.mode else drawing.convert(canvas.mode), region)

    def lay_over(self, drawing: Image.Image, region: Box) -> None:
        """Blend a *drawing* (L, RGB or RGBA) into the *region*, in straight alpha."""
        if drawing.mode != "RGBA":
            self.replace(drawing, region)
        else:
            self._with_channels_of(drawing).alpha_composite(drawing, region[:2])

    def cover(self, drawing: Image.Image, region: Box) -> None:
        """Put those pixels of a *drawing* (RGBA) in place that are opaque; the others are transparent."""
        alpha = drawing.getchannel("A")
        if self.image.mode != "RGBA":
            drawing = drawing.convert("RGB")
        self._with_channels_of(drawing).paste(drawing, region, alpha)

    def clear(self, region: Box) -> None:
        """Make the *region* transparent."""
        self.replace(Image.new("RGBA", (region[2] - region[0], region[3] - region[1])), region)

    def copy(self, region: Box) -> Image.Image:
        """Return what the *region* shows now."""
        return self.image.crop(region)

    def _with_channels_of(self, drawing: Image.Image) -> Image.Image:
        """Return the image, which has at least the channels of *drawing* from now on."""
        channels = len(drawing.getbands())
        if channels > len(self.image.getbands()):
            self._image = self.image.convert(drawing.mode)
        return self.image
