"""Import what a conversion may need later, while files can still be opened."""

import codecs
import contextlib
from encodings.aliases import aliases

import imagecodecs
import numpy as np  # noqa: F401 - cykooz-resizer imports it for the first image of more than a block
from PIL import MpoImagePlugin  # noqa: F401 - Pillow imports it for the first JPEG of several images

from imageconverter.engine import decoders

# Those of imagecodecs that `imageconverter.engine.plugins` decode with.
_CODECS = (
    "avif", "ccittfax3", "ccittfax4", "ccittrle", "deflate", "delta", "float24", "jpeg2k", "jpeg8", "jpegxl", "lerc",
    "packbits", "packints", "tiff", "webp", "zstd",
)  # fmt: skip


def preload() -> None:
    """Prepare all decoders and text encodings; the engine itself is imported by then."""
    decoders.available()
    for codec in _CODECS:  # each is a module of its own, which is imported when it is first asked for
        getattr(imagecodecs, f"{codec}_decode")
    for name in set(aliases.values()):
        with contextlib.suppress(LookupError):  # for Windows only
            codecs.lookup(name)
