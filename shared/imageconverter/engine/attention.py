"""What catches the eye in an image: found once, for all outputs that are cropped from it."""

from functools import cached_property

import numpy as np
from PIL import Image

from imageconverter.engine.focus import entropy_crop
from imageconverter.engine.geometry import Box, Size
from imageconverter.engine.saliency import Map, saliency
from imageconverter.engine.target import FoundFocus

_EQUAL = 1e-9  # of all weight: less of a difference is none, whatever the order of the additions was


class Attention:
    """What is where in an image, looked for when it is first asked for."""

    def __init__(self, image: Image.Image) -> None:
        """Look at *image*: L, LA, RGB or RGBA, upright."""
        self._image = image

    def crop(self, focus: FoundFocus, frame: Image.Image, size: Size) -> Box:
        """Return the box of *size* pixels that is worth keeping of *frame*, which is the image at some scale."""
        if focus == "entropy":
            return entropy_crop(frame, size)
        return heaviest_box(self._saliency, frame.size, size)

    @cached_property
    def _saliency(self) -> Map:
        return saliency(self._image)


def heaviest_box(weights: Map, outer: Size, inner: Size) -> Box:
    """Return the box of size *inner* in *outer* that has the most weight; *weights* are those of its parts.

    Of several that have as much, the one whose middle is nearest to that of the weight. Width and height are chosen
    one after the other, because a crop keeps one of them whole.
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
    middle = np.average((edges[1:] + edges[:-1]) / 2, weights=weights)
    start = int(best[np.argmin(np.abs(best + kept / 2 - middle))])
    return start, start + kept
