"""Every mode that a decoder hands over becomes one of 8 bits a channel, with alpha if it is used."""

from PIL import Image


def to_eight_bits(image: Image.Image) -> Image.Image:  # noqa: PLR0911 - a table of modes
    """Return *image* in a mode that can be resized: L, LA, RGB, RGBA, CMYK or LAB."""
    has_key = "transparency" in image.info
    match image.mode:
        case "L" | "RGB":
            return image.convert("LA" if image.mode == "L" else "RGBA") if has_key else image
        case "LA" | "RGBA" | "CMYK" | "LAB":
            return image
        case "P":
            has_alpha = has_key or (image.palette is not None and image.palette.mode == "RGBA")
            return image.convert("RGBA" if has_alpha else "RGB")
        case "1":
            return image.convert("LA" if has_key else "L")
        case "La":
            return image.convert("LA")
        case "PA" | "RGBa":
            return image.convert("RGBA")
        case "I;16" | "I;16L" | "I;16B" | "I;16N":
            return image.convert("I").point(lambda value: value * (1 / 257) + 0.5).convert("L")
        case "I" | "F":
            return _stretched(image.convert("F"))
        case _:
            return image.convert("RGB")


def eight_bit_mode(mode: str) -> str:
    """Return what `to_eight_bits` makes of an image of *mode*, without alpha: L, RGB, CMYK or LAB."""
    if mode in ("1", "L", "LA", "La", "I", "F") or mode.startswith("I;16"):
        return "L"
    return mode if mode in ("CMYK", "LAB") else "RGB"


def _stretched(image: Image.Image) -> Image.Image:
    """Scale 32-bit values linearly from their own range to 0-255: what they mean is not written anywhere."""
    low, high = image.getextrema()
    if isinstance(low, tuple) or isinstance(high, tuple) or not low < high:
        return Image.new("L", image.size)
    factor = 255 / (high - low)
    return image.point(lambda value: value * factor + (0.5 - low * factor)).convert("L")
