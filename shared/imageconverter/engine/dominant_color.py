"""The color that most of an image has."""

import numpy as np
from PIL import Image

_MAX_SIDE = 128  # pixels that are looked at
_BINS, _BIN_BITS = 16, 4  # of each channel
_VISIBLE = 128
_WHITE = (255, 255, 255)


def dominant_color(image: Image.Image) -> tuple[int, int, int]:
    """Return the mean of the most frequent colors that are alike, of L, LA, RGB or RGBA; white if nothing is visible.

    Colors are alike that are in neighboring sixteenths of all channels.
    """
    size = (min(image.width, _MAX_SIDE), min(image.height, _MAX_SIDE))
    pixels = np.asarray(image.resize(size, Image.Resampling.NEAREST).convert("RGBA")).reshape(-1, 4)
    colors = pixels[pixels[:, 3] >= _VISIBLE, :3]
    if not len(colors):
        return _WHITE
    bins = colors >> (8 - _BIN_BITS)
    counts = np.zeros((_BINS + 2,) * 3, np.int64)  # with a border of none
    np.add.at(counts, tuple(bins.T + 1), 1)
    for axis in range(3):
        counts = counts + np.roll(counts, 1, axis) + np.roll(counts, -1, axis)
    inner = counts[1:-1, 1:-1, 1:-1]
    middle = np.array(np.unravel_index(np.argmax(inner), inner.shape))
    alike = colors[(np.abs(bins - middle) <= 1).all(axis=1)]
    red, green, blue = np.rint(alike.mean(axis=0)).astype(int).tolist()
    return red, green, blue
