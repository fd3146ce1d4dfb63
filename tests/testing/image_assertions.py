"""Conversion of images in tests, and checks of size, mode and pixel error of the result."""

import io
from typing import Any

import numpy as np
from PIL import Image

from imageconverter.engine import Converted, Failed, Limits, OutputType, Target
from imageconverter.engine.animation import Timing
from imageconverter.engine.encode import encode
from imageconverter.engine.pipeline import convert
from tests.testing import drawings
from tests.testing.sandboxed import SandboxedEngine

sandbox: SandboxedEngine | None = None
"""The confined process of the session; tests/engine/conftest.py sets it."""

_TOLERANCE = 32  # levels: a lossy file of flat colors stays well below


def target(side: int = 64, **fields: Any) -> Target:
    """Return a target of a square box; any field may be given."""
    return Target(**{"max_width": side, "max_height": side, "output": "png", **fields})


def encoded(image: Image.Image, output: OutputType, **fields: Any) -> bytes:
    """Encode a finished image; any field of the target may be given."""
    return encode([image], Timing(), output, target(**fields))[0]


def opened(data: bytes) -> Image.Image:
    """Return the decoded image; a PNG of few colors as L, RGB or RGBA."""
    converted = Image.open(io.BytesIO(data))
    converted.load()
    if converted.format != "PNG" or converted.mode not in ("1", "P") or getattr(converted, "is_animated", False):
        return converted
    colors = "RGBA" if converted.has_transparency_data else "RGB"
    full = converted.convert("L" if converted.mode == "1" else colors)
    full.format = converted.format
    return full


def outcomes(
    data: bytes, *targets: Target, limits: Limits | None = None, in_process: str = ""
) -> list[Converted | Failed]:
    """Convert *data* to all *targets* in the sandbox, as workers do.

    In this process only if *in_process* says why, or with *limits*: those of the sandbox are its pool's.
    """
    if in_process or limits:
        return convert(io.BytesIO(data), targets, limits)
    assert sandbox is not None, "only tests/engine starts a sandbox"
    return sandbox.convert(data, targets)


def results(data: bytes, *targets: Target, limits: Limits | None = None, in_process: str = "") -> list[Converted]:
    """Convert *data* as `outcomes` does; none of the *targets* may fail."""
    converted = []
    for result in outcomes(data, *targets, limits=limits, in_process=in_process):
        assert isinstance(result, Converted), result.reason
        converted.append(result)
    return converted


def result(data: bytes, side: int = 64, **fields: Any) -> Converted:
    """Convert *data* to one target."""
    return results(data, target(side, **fields))[0]


def converted(data: bytes, side: int = 64, **fields: Any) -> Image.Image:
    """Convert *data* to one target and decode what came out."""
    return opened(result(data, side, **fields).data)


def difference(first: Image.Image, second: Image.Image) -> float:
    """Return the mean difference of two images in levels."""
    return float(np.abs(_pixels(first) - _pixels(second)).mean())


def psnr(first: Image.Image, second: Image.Image) -> float:
    """Return the peak signal-to-noise ratio in decibels: from 40 on the difference is invisible."""
    error = float(((_pixels(first) - _pixels(second)) ** 2).mean())
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def alpha(image: Image.Image) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return the alpha channel, of images with a palette as well."""
    return np.asarray(image.convert("RGBA"))[..., 3]


def is_upright(image: Image.Image) -> bool:
    """Whether the image shows `drawings.corners`, neither rotated nor mirrored."""
    width, height = image.size
    rgb = image.convert("RGB")
    for index, color in enumerate(drawings.CORNERS):
        centre = (width * (1 + 2 * (index % 2)) // 4, height * (1 + 2 * (index // 2)) // 4)
        if not is_near(rgb.getpixel(centre), color):
            return False
    return True


def is_near(pixel: Any, color: tuple[int, ...], tolerance: int = _TOLERANCE) -> bool:
    """Whether no channel of *pixel* is further than *tolerance* from that of *color*."""
    return len(pixel) == len(color) and all(abs(a - b) <= tolerance for a, b in zip(pixel, color, strict=True))


def _pixels(image: Image.Image) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.asarray(image, dtype=np.float64)
