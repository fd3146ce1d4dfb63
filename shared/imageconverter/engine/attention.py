"""What catches the eye in an image: found once, for all outputs that are cropped from it."""

from collections.abc import Callable
from functools import cached_property

import numpy as np
from PIL import Image

from imageconverter.engine.faces import find_faces
from imageconverter.engine.focus import entropy_crop
from imageconverter.engine.geometry import Box, Size, shrunk_to
from imageconverter.engine.saliency import Map, saliency
from imageconverter.engine.target import FoundFocus

_FACES_SIDE = 256  # pixels of the map of faces
_EQUAL = 1e-9  # of all weight: less of a difference is none, whatever the order of the additions was


class Attention:
    """What is where in an image, looked for when it is first asked for."""

    def __init__(self, image: Image.Image, for_faces: Callable[[], Image.Image] | None = None) -> None:
        """Look at *image*: L, LA, RGB or RGBA, upright; for faces at what *for_faces* makes, which may be larger."""
        self._image = image
        self._for_faces = for_faces

    def crop(self, focus: FoundFocus, frame: Image.Image, size: Size) -> Box:
        """Return the box of *size* pixels that is worth keeping of *frame*, which is the image at some scale."""
        if focus == "entropy":
            return entropy_crop(frame, size)
        weights = self._saliency if focus == "saliency" or self._faces is None else self._faces
        return heaviest_box(weights, frame.size, size)

    @cached_property
    def _saliency(self) -> Map:
        return saliency(self._image)

    @cached_property
    def _faces(self) -> Map | None:
        """The number of faces in each part of the image, None if there are none."""
        found = find_faces(self._for_faces() if self._for_faces else self._image)
        width, height = shrunk_to(self._image.size, _FACES_SIDE)
        faces = np.zeros((height, width))
        for left, top, right, bottom in found:
            columns = slice(max(0, int(left * width)), max(1, round(right * width)))
            rows = slice(max(0, int(top * height)), max(1, round(bottom * height)))
            faces[rows, columns] += 1
        return faces if faces.any() else None


def heaviest_box(weights: Map, outer: Size, inner: Size) -> Box:
    """Return the box of size *inner* in *outer* that has the most weight; *weights* are those of its parts.

    Of several that have as much, the one whose middle is nearest to that of the weight there. Width and height are
    chosen one after the other, because a crop keeps one of them whole.
    """
    left, right = _heaviest_part(weights.sum(axis=0), outer[0], inner[0])
    columns = slice(int(left * weights.shape[1] / outer[0]), max(1, -int(-right * weights.shape[1] // outer[0])))
    top, bottom = _heaviest_part(weights[:, columns].sum(axis=1), outer[1], inner[1])
    return left, top, right, bottom


def _heaviest_part(weights: Map, whole: int, kept: int) -> tuple[int, int]:
    """Return where the *kept* of *whole* pixels begin and end, by the integral of the *weights* of all of them."""
    edges = np.linspace(0, whole, len(weights) + 1)
    integral = np.concatenate(([0.0], np.cumsum(weights)))
    starts = np.arange(whole - kept + 1)
    inside = np.interp(starts + kept, edges, integral) - np.interp(starts, edges, integral)
    best = starts[inside >= inside.max() - _EQUAL * integral[-1]]
    centers = (edges[1:] + edges[:-1]) / 2
    there = weights * ((centers >= best[0]) & (centers <= best[-1] + kept))
    middle = np.average(centers, weights=there) if there.any() else whole / 2
    start = int(best[np.argmin(np.abs(best + kept / 2 - middle))])
    return start, start + kept
