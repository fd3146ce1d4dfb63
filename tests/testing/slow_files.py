"""Small files whose conversion takes seconds although their headers announce few pixels."""

import io
import struct
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.testing import fig_files, psd_files, xcf_files
from tests.testing.bombs import jpeg_of_scans


class _SharedTiles(xcf_files._File):
    """A file whose layers all have the tiles of the first one."""

    hierarchy = 0

    def point(self, table: int, index: int = 0) -> None:
        """Set a pointer to the current end of the file, or to the shared tiles."""
        super().point(table, index)
        self.last = table + 8 * index

    def add_hierarchy(self, pixels: NDArray[Any]) -> None:
        """Add the tiles once."""
        if self.hierarchy:
            struct.pack_into(">Q", self.data, self.last, self.hierarchy)
            return
        self.hierarchy = len(self.data)
        super().add_hierarchy(pixels)


def xcf_of_shared_tiles() -> bytes:
    """Make an XCF of 200 layers that share one hierarchy of tiles."""
    pixels = np.full((1000, 1000, 4), 128, "u1")
    pixels[..., 0] = np.arange(1000) & 0xF0
    with patch.object(xcf_files, "_File", _SharedTiles):
        return xcf_files.xcf([xcf_files.Layer(pixels, opacity=100)] * 200, (1000, 1000))


def _frames(count: int, side: int) -> list[Image.Image]:
    base = Image.effect_noise((4, 4), 90)
    return [
        base.rotate(90 * (n % 4)).resize((side, side), Image.Resampling.NEAREST).point(lambda v, n=n: (v + n) % 256)
        for n in range(count)
    ]


def animation(kind: str, count: int, side: int) -> bytes:
    """Make an animation of *count* frames, each *side* pixels wide and high."""
    first, *others = _frames(count, side)
    file = io.BytesIO()
    first.save(file, kind, save_all=True, append_images=others, method=0, quality=30, duration=40)
    return file.getvalue()


def fig_of_lines() -> bytes:
    """Make an XFIG drawing of 153 KiB, of large transparent polygons."""
    style = fig_files.style(pen=1, fill=4, area=45)
    corners = [(0, 0), (12_000, 200), (300, 9000), (12_000, 9000), (100, 400), (9000, 9000), (0, 0)]
    shapes = [fig_files.polyline([(x + n, y) for x, y in corners], style, kind=3) for n in range(1400)]
    return fig_files.fig(*shapes)[: 153 * 1024].rpartition(b"\n2 ")[0] + b"\n"


def avif_of_noise() -> bytes:
    """Make an AVIF of 64 megapixels."""
    noise = Image.effect_noise((500, 500), 60).resize((8000, 8000), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    noise.convert("RGB").save(file, "AVIF", quality=20, speed=10)
    return file.getvalue()


def psd_of_stripes() -> bytes:
    """Make a PSD of 6 megapixels, not compressed."""
    stripes = np.tile(np.arange(2500, dtype="u1") & 0xFE, (2500, 1))
    return psd_files.psd(stripes[np.newaxis], mode=1)


SLOW_FILES: dict[str, Callable[[], bytes]] = {
    "XCF of 200 layers": xcf_of_shared_tiles,
    "WebP of 500 frames": lambda: animation("WEBP", 500, 440),
    "XFIG of 153 KiB": fig_of_lines,
    "GIF of 480 frames": lambda: animation("GIF", 480, 300),
    "AVIF of 64 MP": avif_of_noise,
    "progressive JPEG of 40 scans": lambda: jpeg_of_scans(30),
    "PSD of 6 MP": psd_of_stripes,
}
