"""Import what a conversion may need later, while files can still be opened."""

import codecs
import contextlib
from encodings.aliases import aliases

import numpy as np  # noqa: F401 - cykooz-resizer imports it for the first image of more than a block
from PIL import MpoImagePlugin  # noqa: F401 - Pillow imports it for the first JPEG of several images

from imageconverter.engine import decoders


def preload() -> None:
    """Prepare all decoders and text encodings; the engine itself is imported by then."""
    decoders.available()
    for name in set(aliases.values()):
        with contextlib.suppress(LookupError):  # for Windows only
            codecs.lookup(name)
