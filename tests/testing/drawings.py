"""What the test images show, drawn by code."""

import math
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

Size = tuple[int, int]
Color = tuple[int, int, int]

SIZE: Size = (96, 64)
CORNERS: tuple[Color, ...] = ((220, 40, 40), (40, 180, 60), (50, 70, 210), (230, 210, 50))
"""The colors of `corners`: top left, top right, bottom left, bottom right."""

_MAX_PIXELS_DRAWN = 4_000_000
_NOISE = 2.5
_TO_STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def photo(size: Size = SIZE, *, seed: int = 1) -> Image.Image:
    """Draw something like a photograph: soft gradients, discs with sharp edges, mild noise."""
    return _photo(size, seed).copy()


@lru_cache(maxsize=64)
def _photo(size: Size, seed: int) -> Image.Image:
    width, height = size
    if width * height > _MAX_PIXELS_DRAWN:
        scale = math.sqrt(_MAX_PIXELS_DRAWN / 4 / (width * height))
        small = photo((max(1, int(width * scale)), max(1, int(height * scale))), seed=seed)
        return small.resize(size, Image.Resampling.NEAREST)
    random = np.random.default_rng(seed)
    u = np.linspace(0, 1, width, dtype=np.float32)[None, :]
    v = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    pixels = np.stack(np.broadcast_arrays(70 + 150 * u, 200 - 110 * v, 110 + 80 * np.sin(4 * u + 3 * v)), axis=-1)
    for _ in range(8):
        centre = random.random(2) * size
        radius = (0.06 + 0.12 * random.random()) * min(size)
        left, top = (max(0, int(middle - radius) - 1) for middle in centre)
        part = pixels[top : int(centre[1] + radius) + 2, left : int(centre[0] + radius) + 2]
        y, x = np.ogrid[: part.shape[0], : part.shape[1]]
        distance = np.hypot(x + left - centre[0], y + top - centre[1]) - radius
        cover = np.clip(0.5 - distance, 0, 1)[..., None]
        part += (random.uniform(20, 235, 3) - part) * cover
    noise = random.normal(0, _NOISE, (64, 64, 1)) + random.normal(0, _NOISE / 2, (64, 64, 3))
    pixels += np.tile(noise, (height // 64 + 1, width // 64 + 1, 1))[:height, :width]
    return Image.fromarray(np.clip(pixels + 0.5, 0, 255).astype(np.uint8))


def corners(size: Size = SIZE) -> Image.Image:
    """Draw four quarters in the colors of `CORNERS`, which every rotation and reflection changes."""
    image = Image.new("RGB", size)
    width, height = size
    columns, rows = (0, width // 2, width), (0, height // 2, height)
    for index, color in enumerate(CORNERS):
        column, row = index % 2, index // 2
        image.paste(color, (columns[column], rows[row], columns[column + 1], rows[row + 1]))
    return image


def cutout(size: Size = SIZE, *, color: Color = (200, 30, 60), softness: float = 3.0) -> Image.Image:
    """Draw a disc with a soft edge on transparency; fully transparent pixels are black."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    distance = min(size) * 0.4 - np.hypot(x - (width - 1) / 2, y - (height - 1) / 2)
    alpha = np.clip(distance / softness + 0.5, 0, 1)
    pixels = np.zeros((height, width, 4), dtype=np.uint8)
    pixels[..., 3] = np.rint(alpha * 255)
    pixels[..., :3] = np.where(pixels[..., 3:] > 0, np.array(color, dtype=np.uint8), 0)
    return Image.fromarray(pixels)


def lab_photo(size: Size = SIZE) -> Image.Image:
    """Return `photo` in the LAB color space."""
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.buildTransform(srgb, lab, "RGB", "LAB").apply(photo(size))


def as_stored(upright: Image.Image, orientation: int) -> Image.Image:
    """Transform *upright* to the stored pixels of a camera that writes *orientation*."""
    method = _TO_STORED.get(orientation)
    return upright if method is None else upright.transpose(method)
