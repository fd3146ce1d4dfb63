"""What a conversion may import at a later time, imported while files can still be opened."""

import codecs
import contextlib
from encodings.aliases import aliases

import numpy as np  # noqa: F401 - cykooz-resizer imports it at the first picture of more than a block
from PIL import MpoImagePlugin  # noqa: F401 - Pillow imports it at the first JPEG of several pictures

from imageconverter.engine import decoders


def preload() -> None:
    """Prepare all decoders and text encodings; the engine itself is imported by then."""
    decoders.available()
    for name in set(aliases.values()):
        with contextlib.suppress(LookupError):  # Windows' own
            codecs.lookup(name)
