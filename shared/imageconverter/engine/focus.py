"""Which part of an image is worth keeping when some of it has to go."""

from PIL import Image

from imageconverter.engine.geometry import Box, Size
from imageconverter.engine.resize import resize

_SLICES = 32  # that the part to be cut off is looked at in
_MAX_SIDE = 256  # pixels of the longer side; enough to find the detail


def entropy_crop(image: Image.Image, size: Size) -> Box:
    """Return the box of *size* pixels in which *image* has the most detail.

    Slice after slice is taken off at the end that has the lower entropy (of its histogram of grays), as several
    thumbnailers do it.
    """
    scale = min(1.0, _MAX_SIDE / max(image.size))
    small = resize(image.convert("L"), (max(1, round(image.width * scale)), max(1, round(image.height * scale))))
    left, right = _trimmed(small, image.width, size[0])
    top, bottom = _trimmed(small.transpose(Image.Transpose.TRANSPOSE), image.height, size[1])
    return (left, top, right, bottom)


def _trimmed(small: Image.Image, whole: int, kept: int) -> tuple[int, int]:
    """Trim the width *whole* to *kept* pixels by what *small* shows; returns the first column and the one behind."""
    start, end = 0, whole
    step = max(1, (whole - kept) // _SLICES)
    scale = small.width / whole
    while (excess := (end - start) - kept) > 0:
        cut = min(step, excess)
        first = _entropy(small, start * scale, (start + cut) * scale)
        last = _entropy(small, (end - cut) * scale, end * scale)
        if first < last or (first == last and start < whole - end):
            start += cut
        else:
            end -= cut
    return start, end


def _entropy(image: Image.Image, left: float, right: float) -> float:
    first = min(int(left), image.width - 1)
    return image.crop((first, 0, max(first + 1, round(right)), image.height)).entropy()
