"""Whether a file without metadata still shows the image, or every frame of the animation, to other readers."""

import contextlib
import io
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from imageconverter.engine.decoder_errors import DECODER_ERRORS, raise_refusal
from imageconverter.engine.target import OutputType

_READERS: Mapping[OutputType, type[ImageFile]] = {"png": PngImageFile, "gif": GifImageFile, "webp": WebPImageFile}
_ROWS_AT_ONCE = 256


def shows(data: bytes, output: OutputType, frames: Sequence[Image.Image]) -> bool:
    """Whether Pillow reads from the file *data* what our own decoders have made: *frames*, pixel for pixel.

    What few readers agree on, such as a frame of a GIF outside of the screen, is encoded anew instead. A JPEG is
    not read again: all bytes that decide on its pixels are copied.
    """
    reader = _READERS.get(output)
    if reader is None:
        return True
    try:
        with reader(io.BytesIO(data)) as image:
            return _has_only(image, frames)
    except (*DECODER_ERRORS, MemoryError) as error:
        raise_refusal(error)
        return False


def _has_only(image: ImageFile, frames: Sequence[Image.Image]) -> bool:
    for number, frame in enumerate(frames):
        image.seek(number)
        if image.size != frame.size or not _is_equal(image, frame):
            return False
    with contextlib.suppress(EOFError):
        image.seek(len(frames))
        return False
    return True


def _is_equal(one: Image.Image, other: Image.Image) -> bool:
    """Whether all pixels are equal; what is transparent has no color."""
    for top in range(0, one.height, _ROWS_AT_ONCE):
        box = (0, top, one.width, min(one.height, top + _ROWS_AT_ONCE))
        a, b = (np.asarray(each.crop(box).convert("RGBA")) for each in (one, other))
        is_hidden = (a[..., 3] == 0) & (b[..., 3] == 0)
        if not ((a == b).all(axis=-1) | is_hidden).all():
            return False
    return True
