"""Where the eye looks first: the spectral residual of an image.

X. Hou and L. Zhang, "Saliency Detection: A Spectral Residual Approach", CVPR 2007: what is unusual in the logarithm
of an image's amplitude spectrum, beside the mean of the frequencies around it, stands out in the image.
"""

import numpy as np
from numpy import fft  # loaded here, because later it cannot be
from numpy.typing import NDArray
from PIL import Image

from imageconverter.engine.geometry import shrunk_to
from imageconverter.engine.resize import resize

_SIDE = 64  # pixels of the longer side, the scale at which the method was made
_SIGMA = 2.5  # pixels, by which the result is blurred
_LEAST = 1e-9

Map = NDArray[np.float64]


def saliency(image: Image.Image) -> Map:
    """Return how much each part of *image* (L, LA, RGB or RGBA) stands out, on a small copy of it.

    By its brightness and, what the authors did not look at, its colors and how near it is to the middle, where people
    put what they take a photograph of. If nothing stands out, all parts are alike.
    """
    small = resize(image, shrunk_to(image.size, _SIDE))
    pixels = np.asarray(_on_white(small).convert("YCbCr"), np.float64)
    height, width, _ = pixels.shape
    residual = sum(map(_residual, np.moveaxis(pixels, 2, 0)), np.zeros((height, width)))
    blurred = _blurring(height) @ residual @ _blurring(width).T
    above_mean = np.maximum(0, blurred - blurred.mean())
    if above_mean.max() <= _LEAST:
        return np.ones((height, width))
    found: Map = above_mean * np.multiply.outer(_near_the_middle(height), _near_the_middle(width))
    return found


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode not in ("LA", "RGBA"):
        return image.convert("RGB")
    white = Image.new("RGB", image.size, "#ffffff")
    white.paste(image.convert("RGB"), mask=image.getchannel("A"))
    return white


def _residual(channel: Map) -> Map:
    if np.ptp(channel) == 0:
        return np.zeros_like(channel)
    spectrum = fft.fft2(channel)
    amplitude = np.log(np.abs(spectrum) + _LEAST)
    mean = amplitude
    for axis in (0, 1):  # of nine frequencies; the spectrum is periodic
        mean = (mean + np.roll(mean, 1, axis) + np.roll(mean, -1, axis)) / 3
    residual: Map = np.abs(fft.ifft2(np.exp(amplitude - mean + 1j * np.angle(spectrum)))) ** 2
    return residual


def _near_the_middle(count: int) -> Map:
    """Return a weight of each of *count* values: 1 in the middle, 0.6 at the ends."""
    weights: Map = np.exp(-(np.linspace(-1, 1, count + 2)[1:-1] ** 2) / 2)
    return weights


def _blurring(count: int) -> Map:
    """Return the matrix that blurs *count* values by a Gaussian; what lies beyond the ends has no weight."""
    distances = np.subtract.outer(np.arange(count), np.arange(count)) / _SIGMA
    weights = np.exp(-(distances**2) / 2)
    blurring: Map = weights / weights.sum(axis=1, keepdims=True)
    return blurring
