"""The decoders that images are opened with: those of Pillow, of more libraries, our own and of rare_formats."""

from functools import lru_cache
from importlib import import_module

from PIL import AvifImagePlugin, Image

from imageconverter.engine.source_types import SOURCE_TYPES

try:
    from pillow_heif import options as heif_options
except ImportError:  # it is an extra
    heif_options = None  # type: ignore[assignment]


@lru_cache(maxsize=1)
def available() -> frozenset[str]:
    """Register the decoders and return the names of those that are installed.

    These and no others: Pillow's own search would load all forty, among them one that runs Ghostscript. A conversion
    has one core; by default some of them take all, and each of their threads much address space.
    """
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    if heif_options is not None:
        heif_options.THUMBNAILS, heif_options.DECODE_THREADS = False, 1
    Image.preinit()  # when the first image is opened, no more files can be
    for each in SOURCE_TYPES:
        try:
            import_module(each.plugin)
        except ImportError:
            if not each.is_extra:
                raise
    return frozenset(Image.OPEN)
