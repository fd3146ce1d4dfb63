"""Import what a conversion may need later, while files can still be opened."""

import codecs
import contextlib
import io
from encodings.aliases import aliases

import imagecodecs
import numpy as np  # noqa: F401 - cykooz-resizer imports it for the first image of more than a block
from PIL import Image, MpoImagePlugin  # noqa: F401 - Pillow imports it for the first JPEG of several images

from imageconverter.engine import Target, decoders, faces
from imageconverter.engine.pipeline import convert

# Those of imagecodecs that `imageconverter.engine.plugins` decode with.
_CODECS = (
    "avif", "ccittfax3", "ccittfax4", "ccittrle", "deflate", "delta", "float24", "jpeg2k", "jpeg8", "jpegxl", "lerc",
    "packbits", "packints", "tiff", "webp", "zstd",
)  # fmt: skip


def preload() -> None:
    """Prepare all decoders and text encodings; the engine itself is imported by then."""
    decoders.available()
    faces.load()
    for codec in _CODECS:  # each is a module of its own, which is imported when it is first asked for
        getattr(imagecodecs, f"{codec}_decode")
    for name in set(aliases.values()):
        with contextlib.suppress(LookupError):  # for Windows only
            codecs.lookup(name)


def warm_up() -> None:
    """Convert an image, so that the first one of each process finds what the engine prepares once.

    By encoders that start no thread, because a process that has threads cannot be forked.
    """
    image = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(image, "JPEG")
    image.seek(0)
    targets = [Target(max_width=100, max_height=100, output=output) for output in ("jpeg", "png")]
    convert(image, targets, on_facts=lambda _: None)
