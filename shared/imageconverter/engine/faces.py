"""Faces in an image, by the detector of dlib: histograms of oriented gradients, compiled in, without a network.

dlib is an extra. Its detector finds faces from 80 pixels on that look about at the camera. Where it is not installed,
no face is found.
"""

from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
from PIL import Image

from imageconverter.engine.face_extra import finds_faces
from imageconverter.engine.geometry import Region, Size, shrunk_to
from imageconverter.engine.resize import resize

SIDE = 800
"""Pixels of the longer side that are looked at, whatever the image has: that bounds time and memory."""
_MIN_CONFIDENCE = 0.2  # what dlib is less sure of is often none


def load() -> None:
    """Load the detector, if it is installed, while files can be opened."""
    _detector()


def needed_size(size: Size) -> Size:
    """Return the extents of the copy of an image of *size* in which faces are looked for."""
    return shrunk_to(size, SIDE)


def find_faces(image: Image.Image) -> tuple[Region, ...]:
    """Return the boxes of the faces in *image* (L, LA, RGB or RGBA), in shares of its width and height."""
    detector = _detector()
    if detector is None:
        return ()
    width, height = size = needed_size(image.size)
    grays = np.asarray(resize(image.convert("L"), size))
    boxes, scores, _ = detector.run(grays, 0, 0.0)
    return tuple(
        (box.left() / width, box.top() / height, (box.right() + 1) / width, (box.bottom() + 1) / height)
        for box, score in zip(boxes, scores, strict=True)
        if score >= _MIN_CONFIDENCE
    )


@cache
def _detector() -> Any:
    """Return dlib's detector, None if it is not installed."""
    return import_module("dlib").get_frontal_face_detector() if finds_faces() else None
