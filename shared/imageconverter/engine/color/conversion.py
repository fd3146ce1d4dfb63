"""From the color space of a source to sRGB."""

import contextlib

from PIL import Image, ImageCms

from imageconverter.engine.color import management, tone_mapping
from imageconverter.engine.color.signals import SourceColor
from imageconverter.engine.color.statements import UnusableError


def convert(image: Image.Image, color: SourceColor) -> Image.Image:
    """Return *image*, as `to_eight_bits` leaves it, as L, LA, RGB or RGBA in sRGB."""
    if color.high_dynamic_range is not None and image.mode in ("L", "LA", "RGB", "RGBA"):
        return tone_mapping.to_sdr(image, color.high_dynamic_range)
    return to_srgb(image, color.profile)


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Return *image* of an ICC *profile*, as `to_eight_bits` leaves it, as L, LA, RGB or RGBA in sRGB.

    CMYK and LAB without a profile that can be used are converted by formula.
    """
    if profile:
        with contextlib.suppress(UnusableError):
            return management.to_srgb(image, profile)
    if image.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
        return ImageCms.buildTransform(lab, srgb, "LAB", "RGB", intent).apply(image)
    return image.convert("RGB") if image.mode == "CMYK" else image
