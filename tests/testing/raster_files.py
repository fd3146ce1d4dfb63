"""A file of each encoding that our own plugins for simple file types decode, for tests with mutations of them."""

from collections.abc import Callable

import numpy as np

from tests.testing import bmp_files, ico_files, pnm_files, psd_files, tga_files
from tests.testing.avif_files import clap, container
from tests.testing.drawings import cutout, photo

_SIZE = (48, 32)
_RGB = np.asarray(photo(_SIZE))
_PLANES = np.ascontiguousarray(_RGB.transpose(2, 0, 1))
_RGBA = np.asarray(cutout(_SIZE))
_INDICES = _RGB[..., 1] >> 4
_PALETTE = [(level * 17, 255 - level, level) for level in range(16)]
_PIXELS = _RGBA[..., 3].astype("u4") << 24 | _RGBA[..., 0].astype("u4") << 16 | _RGBA[..., 1].astype("u4") << 8

VARIANTS: dict[str, Callable[[], bytes]] = {
    "PSD of 16 bits, packed": lambda: psd_files.psd(_PLANES.astype("u2") * 257, compression=psd_files.PACKED),
    "PSD of floats, predicted": lambda: psd_files.psd((_PLANES / 255).astype("f4"), compression=psd_files.PREDICTED),
    "PSB with alpha, zipped": lambda: psd_files.psd(
        np.ascontiguousarray(_RGBA.transpose(2, 0, 1)), layers=-1, compression=psd_files.ZIP, large=True
    ),
    "BMP packed, 8 bits": lambda: _packed_bmp(8),
    "BMP packed, 4 bits": lambda: _packed_bmp(4),
    "BMP packed, 24 bits": lambda: bmp_files.bmp(bmp_files.rle24(_RGB), 24, size=_SIZE, header=64, compression=4),
    "BMP with masks": lambda: bmp_files.bmp(
        _PIXELS, 32, compression=bmp_files.BITFIELDS, masks=(0xFF0000, 0xFF00, 0xFF, 0xFF000000), header=124
    ),
    "ICO with a mask": lambda: ico_files.ico(
        ico_files.bitmap(_INDICES, 4, _RGBA[..., 3] < 128, palette=_PALETTE)  # of 16 colors
    ),
    "TGA with a map, packed": lambda: tga_files.tga(
        _INDICES[..., None], 9, colors=[bytes(color) for color in _PALETTE], map_bits=24
    ),
    "TGA with attributes": lambda: tga_files.tga(_RGBA, alpha_bits=8, attributes=4),
    "PGM as text": lambda: pnm_files.plain(_RGB[..., :1], comments=True),
    "PAM": lambda: pnm_files.pam(_RGBA, "RGB_ALPHA"),
    "PFM": lambda: pnm_files.pfm(_RGB / 255),
    "AVIF cropped": lambda: container(photo(_SIZE), [clap((24, 1), (32, 1), (0, 1), (0, 1))]),
}


def _packed_bmp(bits: int) -> bytes:
    compression = {4: bmp_files.RLE4, 8: bmp_files.RLE8}[bits]
    return bmp_files.bmp(bmp_files.rle(_INDICES, bits), bits, size=_SIZE, compression=compression, palette=_PALETTE)
