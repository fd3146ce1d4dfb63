"""From the color space of an ICC profile to sRGB, by LittleCMS."""

import io
import struct
from functools import lru_cache

from PIL import Image, ImageCms

from imageconverter.engine.color.statements import CodePoints, UnusableError

_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
_COLOR_SPACES = {"L": "GRAY", "RGB": "RGB", "RGBA": "RGB", "CMYK": "CMYK", "LAB": "Lab"}
_WRONG_CLASSES = {"abst": "an abstract profile", "link": "a device link", "nmcl": "a list of named colors"}
_CHART_STEPS = 6
# A transform that moves no color by more than this many levels is not worth applying.
_NEGLIGIBLE = 2
_LIGHT = 128  # levels that white has at least; of a public test file two of the primaries are black
_MAX_TAGS = 100
_TAG_TABLE = 128


def to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Return *image* (L, LA, RGB, RGBA, CMYK, LAB) as L, LA, RGB or RGBA in sRGB; *profile* is its ICC profile.

    Relative colorimetric with black point compensation, as browsers and photo editors do. A profile for RGB that came
    with a gray image is used for its grays. Raises UnusableError as `check` does.
    """
    if image.mode == "LA":
        grey, alpha = image.split()
        return Image.merge("LA", (to_srgb(grey, profile), alpha))
    if image.mode == "L" and _color_space(profile) == "RGB":
        return image.point(_grays(profile))
    converted = _transform(profile, image.mode).apply(image)
    return converted.convert("L") if image.mode == "L" else converted


def from_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Return *image* (RGB, RGBA) in the color space of a *profile* that is reversible."""
    return _reverse(profile, image.mode).apply(image)


def is_reversible(profile: bytes) -> bool:
    """Whether colors of sRGB can be brought to a *profile* for RGB, as they cannot for that of a scanner."""
    try:
        _reverse(profile, "RGB")
    except UnusableError:
        return False
    return True


def check(profile: bytes, mode: str) -> bool:
    """Return whether the *profile* of an image of *mode* (L, RGB, CMYK, LAB) changes any color noticeably.

    Raises UnusableError if it is broken, of another color space than the image or of a class that describes none.
    """
    if mode == "L" and _color_space(profile) == "RGB":
        return any(abs(level - gray) > _NEGLIGIBLE for level, gray in enumerate(_grays(profile)))
    return _changes_colors(profile, mode)


def code_points(profile: bytes) -> CodePoints | None:
    """Return what the tag `cicp` of a *profile* says (ICC.1:2022, section 9.2.17), if there is one."""
    (count,) = struct.unpack_from(">I", profile, _TAG_TABLE) if len(profile) >= _TAG_TABLE + 4 else (0,)
    for index in range(min(count, _MAX_TAGS)):
        entry = profile[_TAG_TABLE + 4 + 12 * index :][:12]
        if entry[:4] == b"cicp":
            offset = int.from_bytes(entry[4:8], "big")
            content = profile[offset : offset + 12]
            return CodePoints(*content[8:]) if len(content) == 12 else None  # noqa: PLR2004 - bytes
    return None


@lru_cache(maxsize=16)
def _color_space(profile: bytes) -> str:
    """Return the color space of a *profile*. Raises UnusableError if it is broken or of an unusable class."""
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile
        color_space, device_class = opened.xcolor_space.strip(), opened.device_class.strip()
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        raise UnusableError("it is broken") from None
    if device_class in _WRONG_CLASSES:
        raise UnusableError(f"it is {_WRONG_CLASSES[device_class]}")
    return str(color_space)


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform:
    """Build the transform from *profile* to sRGB. Raises UnusableError as `check` does."""
    color_space = _color_space(profile)
    if color_space != _COLOR_SPACES[mode]:
        raise UnusableError(f"it is for {color_space}, but the image is {_COLOR_SPACES[mode]}")
    try:
        return ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            mode,
            "RGBA" if mode == "RGBA" else "RGB",
            _INTENT,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        raise UnusableError("it is broken") from None


@lru_cache(maxsize=16)
def _reverse(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform:
    """Build the transform from sRGB to *profile*, that of an image of *mode* (RGB, RGBA).

    Raises UnusableError if there is none.
    """
    if _color_space(profile) != "RGB":
        raise UnusableError("it is not for RGB")
    try:
        return ImageCms.buildTransform(
            ImageCms.createProfile("sRGB"),
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            mode,
            mode,
            _INTENT,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        raise UnusableError("it is not reversible") from None


@lru_cache(maxsize=16)
def _changes_colors(profile: bytes, mode: str) -> bool:
    """Whether a chart of colors does not come out as it went in: most embedded profiles are sRGB itself.

    Raises UnusableError as `check` does.
    """
    transform = _transform(profile, mode)
    if mode not in ("L", "RGB"):
        return True
    levels = [round(step * 255 / (_CHART_STEPS - 1)) for step in range(_CHART_STEPS)]
    colors = bytes(level for r in levels for g in levels for b in levels for level in (r, g, b))
    chart = Image.frombytes("RGB", (_CHART_STEPS**3, 1), colors).convert(mode)
    before, after = chart.convert("RGB").tobytes(), transform.apply(chart).convert("RGB").tobytes()
    if min(after[-3:]) < _LIGHT:
        raise UnusableError("its white is not white")
    return any(abs(a - b) > _NEGLIGIBLE for a, b in zip(before, after, strict=True))


@lru_cache(maxsize=16)
def _grays(profile: bytes) -> list[int]:
    """Return what becomes of each gray in a *profile* for RGB."""
    ramp = Image.frombytes("L", (256, 1), bytes(range(256))).convert("RGB")
    return list(_transform(profile, "RGB").apply(ramp).getchannel("G").tobytes())
