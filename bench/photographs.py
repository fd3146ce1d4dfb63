"""Generated images that resemble photographs, the same on every machine."""

import io

import numpy as np
from PIL import Image


def photograph(width: int, height: int, seed: int) -> bytes:
    """Return a JPEG (quality 90) with the spectrum of a photograph: soft at large scales, fine grain on top."""
    rng = np.random.default_rng(seed)
    image = np.zeros((height, width, 3), dtype=np.float32)
    side = 4
    while side < max(width, height):
        layer = rng.normal(size=(side, side, 3)).astype(np.float32)
        bands = [
            np.asarray(Image.fromarray(layer[:, :, band]).resize((width, height), Image.Resampling.BICUBIC))
            for band in range(3)
        ]
        image += np.stack(bands, axis=2) * (110.0 / side**0.6)
        side *= 4
    image += rng.normal(scale=3.0, size=(height, width, 1)).astype(np.float32)
    buffer = io.BytesIO()
    Image.fromarray((image + 128).clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
