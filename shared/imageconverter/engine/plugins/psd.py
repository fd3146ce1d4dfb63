"""PSD and PSB, Adobe Photoshop's files: the merged image.

Specification: Adobe Photoshop File Formats Specification (November 2019). What it leaves out is as in ImageMagick,
psd-tools and the thumbnails that Photoshop stores: the colors of a transparent merged image are mixed with white, and
32-bit samples are linear light.
"""

import numpy as np
from PIL import Image

from imageconverter.engine import color, psd
from imageconverter.engine.plugins.decoded import (
    DecodedImageFile,
    Levels,
    Samples,
    file_of,
    image_of,
    set_missing,
    to_levels,
)
from imageconverter.engine.plugins.linear import levels_of_light, with_srgb_curve
from imageconverter.engine.plugins.psd_channels import Channels
from imageconverter.engine.plugins.psd_inks import inks, mixed

FORMAT = "OWN-PSD"
_COLORS = {psd.BITMAP: "1", psd.GRAY: "L", psd.INDEXED: "P", psd.RGB: "RGB", psd.CMYK: "CMYK", psd.DUOTONE: "L",
           psd.LAB: "LAB"}  # fmt: skip
_WITH_ALPHA = (psd.GRAY, psd.DUOTONE, psd.RGB, psd.CMYK, psd.LAB)
_FLOAT_BITS = 32
_STRIP = 1 << 20  # samples that are converted at once


class PsdImageFile(DecodedImageFile):
    """The merged image of a PSD or PSB."""

    format = "PSD"
    format_description = "Adobe Photoshop"

    def _open(self) -> None:
        self._structure = structure = psd.read(file_of(self))
        self._size = structure.size
        spots = inks(structure.resources.get(psd.DISPLAY, b""))[: structure.channels]
        self._spots = [(number, ink) for number, ink in enumerate(spots) if ink]
        self._mixes = structure.mode == psd.MULTICHANNEL and len(self._spots) > 1
        self._colors = _COLORS.get(structure.mode) or ("RGB" if self._mixes else "L")
        self._bands = len(Image.new(self._colors, (1, 1)).getbands()) if not self._mixes else 1
        if min(self._size) < 1 or structure.channels < self._bands:
            raise ValueError("there are too few channels")
        self._has_alpha = (
            structure.is_transparent and structure.channels > self._bands and structure.mode in _WITH_ALPHA
        )
        self._mode = self._colors
        if self._has_alpha:
            self._mode = "LA" if self._colors == "L" else "RGBA"
        self._profile = structure.resources.get(psd.PROFILE)
        if self._profile and structure.depth == _FLOAT_BITS:
            self._profile = with_srgb_curve(self._profile)
        if exif := structure.resources.get(psd.EXIF):
            self.info["exif"] = exif
        if self._profile and not self._becomes_rgb:
            self.info["icc_profile"] = self._profile

    @property
    def _becomes_rgb(self) -> bool:
        """Whether the colors are converted here, because Pillow has no mode for them with alpha."""
        return self._has_alpha and self._colors in ("CMYK", "LAB")

    def _decode(self) -> Image.Image:
        channels = Channels(file_of(self), self._structure)
        if self._mixes:
            spots = ((image_of(_quantized(channels.read(number)), "L"), ink) for number, ink in self._spots)
            image = mixed(spots, self.size)
        elif self._colors in "1P":
            image = self._indexed(channels.read(0))
        else:
            alpha = channels.read(self._bands) if self._has_alpha else None
            planes = [image_of(self._levels(channels.read(band), band, alpha), "L") for band in range(self._bands)]
            image = Image.merge(self._colors, planes)
            if self._becomes_rgb:
                image = color.to_srgb(image, self._profile)
            if alpha is not None:
                image.putalpha(image_of(_quantized(alpha), "L"))
        set_missing(self, channels.rows)
        return image

    def _levels(self, samples: Samples, band: int, alpha: Samples | None) -> Levels:
        if alpha is not None:
            samples = _without_white(samples, alpha, 0.5 if self._colors == "LAB" and band else 1)
        if samples.dtype.kind == "f":
            return levels_of_light(samples)
        levels = _quantized(samples)
        return ~levels if self._colors == "CMYK" else levels

    def _indexed(self, samples: Samples) -> Image.Image:
        if self._colors == "1":
            return Image.frombytes("1", self.size, samples.tobytes(), "raw", "1;I")
        image = image_of(samples, "P")
        palette = self._structure.palette
        count = len(palette) // 3
        image.putpalette(np.frombuffer(palette, "u1", 3 * count).reshape(3, count).T.tobytes())
        index = int.from_bytes(self._structure.resources.get(psd.TRANSPARENT_INDEX, b"\xff\xff"), "big")
        if index <= 0xFF:  # noqa: PLR2004 - of the palette
            self.info["transparency"] = index
        return image


def _without_white(samples: Samples, alpha: Samples, white: float) -> Samples:
    """Return the colors of translucent pixels without the *white*, as a share of the range, mixed into them."""
    full = 1.0 if samples.dtype.kind == "f" else float(np.iinfo(samples.dtype).max)
    clean = samples.astype(samples.dtype.newbyteorder("="))
    flat, opacities = clean.reshape(-1), alpha.reshape(-1)
    for at in range(0, flat.size, _STRIP):
        opacity = opacities[at : at + _STRIP]
        mixed = np.flatnonzero((opacity > 0) & (opacity < full))
        if mixed.size:
            strip, share = flat[at : at + _STRIP], opacity[mixed].astype("f4") / np.float32(full)
            unmixed = (strip[mixed].astype("f4") - white * full) / share + white * full
            strip[mixed] = np.clip(np.rint(unmixed) if full > 1 else unmixed, 0, full)
    return clean


def _quantized(samples: Samples) -> Levels:
    """Return the levels of samples that are no light."""
    if samples.dtype.kind == "f":
        levels: Levels = (np.clip(np.nan_to_num(samples, nan=0), 0, 1) * 255 + 0.5).astype("u1")
        return levels
    return to_levels(samples, int(np.iinfo(samples.dtype).max))


def _accept(prefix: bytes) -> bool:
    return prefix.startswith(b"8BPS")


Image.register_open(FORMAT, PsdImageFile, _accept)
