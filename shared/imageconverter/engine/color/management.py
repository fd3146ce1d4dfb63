"""From the color space of an ICC profile to sRGB, by LittleCMS."""

import io
from functools import lru_cache

from PIL import Image, ImageCms

_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
_COLOR_SPACES = {"L": "GRAY", "RGB": "RGB", "RGBA": "RGB", "CMYK": "CMYK", "LAB": "Lab"}
_CHART_STEPS = 6
# A transform that moves no color by more than this many levels is not worth applying.
_NEGLIGIBLE = 2


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Return *image* as L, LA, RGB or RGBA in sRGB; *profile* is the ICC profile that came with it.

    Relative colorimetric with black point compensation, as browsers and photo editors do. A profile that
    cannot be used (broken, or of another color space than the image) is ignored.
    """
    if image.mode == "LA":
        grey, alpha = image.split()
        return Image.merge("LA", (to_srgb(grey, profile), alpha))
    transform = _transform(profile, image.mode) if profile else None
    if transform is not None:
        converted = transform.apply(image)
        return converted.convert("L") if image.mode == "L" else converted
    if image.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        return ImageCms.buildTransform(lab, srgb, "LAB", "RGB", _INTENT).apply(image)
    return image.convert("RGB") if image.mode == "CMYK" else image


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Build the transform from *profile* to sRGB; None if it changes nothing or cannot be used."""
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if opened.profile.xcolor_space.strip() != _COLOR_SPACES.get(mode):
            return None
        transform = ImageCms.buildTransform(
            opened,
            ImageCms.createProfile("sRGB"),
            mode,
            "RGBA" if mode == "RGBA" else "RGB",
            _INTENT,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    if mode in ("L", "RGB", "RGBA") and _changes_nothing(transform, mode):
        return None
    return transform


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether a chart of colors comes out as it went in: most embedded profiles are sRGB itself."""
    levels = [round(step * 255 / (_CHART_STEPS - 1)) for step in range(_CHART_STEPS)]
    colors = bytes(level for r in levels for g in levels for b in levels for level in (r, g, b))
    chart = Image.frombytes("RGB", (_CHART_STEPS**3, 1), colors).convert(mode)
    before, after = chart.convert("RGB").tobytes(), transform.apply(chart).convert("RGB").tobytes()
    return all(abs(a - b) <= _NEGLIGIBLE for a, b in zip(before, after, strict=True))
