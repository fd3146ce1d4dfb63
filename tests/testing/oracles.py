"""Other programs that read the same file types; tests that use one are skipped if it is not installed."""

import io
import shutil
import subprocess

import pytest
from PIL import Image

_IMAGEMAGICK = next(filter(None, map(shutil.which, ("convert-im6.q16", "magick"))), None)

imagemagick = pytest.param(_IMAGEMAGICK, marks=pytest.mark.skipif(_IMAGEMAGICK is None, reason="no ImageMagick"))
graphicsmagick = pytest.param(
    "gm convert", marks=pytest.mark.skipif(shutil.which("gm") is None, reason="no GraphicsMagick")
)
MAGICK = pytest.mark.parametrize("program", [imagemagick, graphicsmagick], ids=["ImageMagick", "GraphicsMagick"])


def read_by(program: str, data: bytes, name: str) -> Image.Image:
    """Read a file of the type *name* with *program*; returns an image of mode RGBA."""
    command = [*program.split(), f"{name}:-", "-depth", "8", "png:-"]
    png = subprocess.run(command, input=data, capture_output=True, check=True, timeout=60).stdout
    return Image.open(io.BytesIO(png)).convert("RGBA")
