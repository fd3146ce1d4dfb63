"""The facts of a decoded image."""

import base64

import numpy as np
from PIL import Image
from thash import rgba_to_thumb_hash

from imageconverter.engine.decode import ImageInfo
from imageconverter.engine.dominant_color import dominant_color
from imageconverter.engine.facts import THUMB_HASH_SIDE, Facts
from imageconverter.engine.perceptual_hash import perceptual_hash
from imageconverter.engine.target import Target

FACTS_TARGET = Target(max_width=THUMB_HASH_SIDE, max_height=THUMB_HASH_SIDE, output="png")
"""Makes the frame that facts are read from."""


def read_facts(image: Image.Image, frame: Image.Image, info: ImageInfo, *, alpha: bool) -> Facts:
    """Return the facts of the opened *image*; *frame* is its first one in sRGB, upright and small."""
    width, height = info.size
    return Facts(
        width=width,
        height=height,
        frames=max(1, getattr(image, "n_frames", 1)) if info.animated else 1,
        alpha=alpha,
        dominant_color="#{:02x}{:02x}{:02x}".format(*dominant_color(frame)),
        thumb_hash=_thumb_hash(frame),
        perceptual_hash=perceptual_hash(frame),
    )


def _thumb_hash(frame: Image.Image) -> str:
    pixels = np.asarray(frame.convert("RGBA"))
    return base64.b64encode(bytes(rgba_to_thumb_hash(frame.width, frame.height, pixels.ravel()))).decode()
