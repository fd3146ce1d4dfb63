"""Brings what readers write into one form: RGBA of 8 bits in sRGB."""

import io

import numpy as np
from PIL import Image, ImageCms


def to_srgb(image: Image.Image) -> Image.Image:
    """Return *image* in RGBA, with its ICC profile applied (relative colorimetric)."""
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I"):  # 16 bits of gray
        samples = np.asarray(image, dtype=np.float64)
        image = Image.fromarray(np.clip(np.round(samples / 257), 0, 255).astype(np.uint8))
    elif image.mode == "F":
        image = Image.fromarray(np.clip(np.round(np.asarray(image) * 255), 0, 255).astype(np.uint8))
    if profile is None:
        return image.convert("RGBA")
    alpha = image.convert("RGBA").getchannel("A")
    converted = _converted(image, profile)
    converted.putalpha(alpha)
    return converted


def _converted(image: Image.Image, profile: bytes) -> Image.Image:
    opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    mode = {"GRAY": "L", "CMYK": "CMYK"}.get(opened.profile.xcolor_space.strip(), "RGB")
    transform = ImageCms.buildTransform(
        opened,
        ImageCms.createProfile("sRGB"),
        mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    converted = transform.apply(image.convert(mode))
    assert converted is not None
    return converted
