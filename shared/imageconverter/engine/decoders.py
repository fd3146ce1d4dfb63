"""The decoders that images are opened with: Pillow's, those of two more libraries, and our own."""

from functools import lru_cache

# Importing a plugin registers its decoder. These and no others: Pillow's own search would load all forty,
# among them one that runs Ghostscript.
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,  # noqa: F401 - registers
    GifImagePlugin,  # noqa: F401
    IcoImagePlugin,  # noqa: F401
    Image,
    Jpeg2KImagePlugin,  # noqa: F401
    JpegImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    PpmImagePlugin,  # noqa: F401
    PsdImagePlugin,  # noqa: F401
    TgaImagePlugin,  # noqa: F401
    TiffImagePlugin,  # noqa: F401
    WebPImagePlugin,  # noqa: F401
)
from pillow_jxl import JpegXLImagePlugin

import rare_formats  # noqa: F401 - registers our own

try:
    from pillow_heif import register_heif_opener
except ImportError:  # it is an extra
    register_heif_opener = None  # type: ignore[assignment]


@lru_cache(maxsize=1)
def available() -> frozenset[str]:
    """Prepare the decoders and return the names of those that are installed.

    A conversion has one core; by default some of them take all, and each of their threads much address space.
    """
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    JpegXLImagePlugin.DECODE_THREADS = 0
    if register_heif_opener is not None:
        register_heif_opener(thumbnails=False, decode_threads=1)
    return frozenset(Image.OPEN)
