"""The single steps from a decoded image to one that can be encoded; each takes and returns an image."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from PIL import Image, ImageChops, ImageFile, ImageFilter

from imageconverter.engine import color
from imageconverter.engine.attention import Attention
from imageconverter.engine.decode import ImageInfo
from imageconverter.engine.dominant_color import dominant_color
from imageconverter.engine.embedded import NOTHING, Embedded
from imageconverter.engine.geometry import Placement, Region
from imageconverter.engine.output_types import OUTPUT_TYPES
from imageconverter.engine.resize import resize
from imageconverter.engine.rounded_corners import corner_mask
from imageconverter.engine.target import OutputType, Target
from imageconverter.engine.watermark import Overlay, lay_over

_AT_LEAST_HALF = [0] * 128 + [255] * 128
_SHARPENED_RADIUS = 0.7  # pixels: what a Lanczos step leaves soft is hardly wider


@dataclass(frozen=True)
class Plan:
    """The parameters of the steps for one output."""

    info: ImageInfo
    region: Region
    """The part of the decoded pixels that is the image."""
    target: Target
    placement: Placement
    output: OutputType
    embedded: Embedded = NOTHING
    overlay: Overlay | None = None
    """The watermark."""


def eight_bits(image: Image.Image, _plan: Plan) -> Image.Image:
    """Palettes, bitmaps and deep images become 8 bits a channel, so that they can be resized."""
    return color.to_eight_bits(image)


def reduce(image: Image.Image, plan: Plan) -> Image.Image:
    """Resize from the decoded scale to the frame, still in the source's axes: turning fewer pixels is cheap."""
    frame = plan.placement.frame
    return resize(image, frame[::-1] if plan.info.is_sideways else frame, plan.region)


def orient(image: Image.Image, plan: Plan) -> Image.Image:
    """Apply the EXIF orientation."""
    return image if plan.info.turn is None else image.transpose(plan.info.turn)


def to_srgb(image: Image.Image, plan: Plan) -> Image.Image:
    """Bring the colors to sRGB (or gray), which is what an image without a profile means, unless it keeps its own."""
    return image if plan.embedded.profile else color.convert(image, plan.info.color)


def crop(image: Image.Image, plan: Plan) -> Image.Image:
    """Cut the frame to the part that the target keeps."""
    _, box, _ = plan.placement
    return image if box == (0, 0, *image.size) else image.crop(box)


def sharpen(image: Image.Image, plan: Plan) -> Image.Image:
    """Sharpen the edges of an image that was made smaller, by an unsharp mask; alpha stays as it is."""
    frame, size = plan.placement.frame, plan.info.size
    if not plan.target.sharpen or frame[0] * frame[1] >= size[0] * size[1]:
        return image
    if image.mode == "LA":
        return sharpen(image.convert("RGBA"), plan).convert("LA")
    blur, factor = ImageFilter.GaussianBlur(_SHARPENED_RADIUS), 1 + plan.target.sharpen / 100
    if image.mode != "RGBA":
        return Image.blend(image.filter(blur), image, factor)
    # Blurred with premultiplied alpha, so that hidden colors do not count.
    sharpened = Image.blend(image.convert("RGBa").filter(blur).convert("RGBA"), image, factor)
    sharpened.putalpha(image.getchannel("A"))
    return sharpened


def pad(image: Image.Image, plan: Plan) -> Image.Image:
    """Center the image on the target's canvas, filled with its background."""
    canvas = plan.placement.canvas
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    if not is_filled(plan.target) or (image.size == canvas and alpha is None):
        return image
    filled = Image.new("RGB", canvas, plan.target.background)
    left, top = (canvas[0] - image.width) // 2, (canvas[1] - image.height) // 2
    filled.paste(image.convert("RGB"), (left, top), alpha)
    return filled


def is_filled(target: Target) -> bool:
    """Whether the target has a canvas, filled with its background."""
    return target.fit == "pad" or (target.fit == "crop" and target.fill)


def watermark(image: Image.Image, plan: Plan) -> Image.Image:
    """Lay the watermark over the image."""
    return image if plan.overlay is None else lay_over(image, plan.overlay)


def round_corners(image: Image.Image, plan: Plan) -> Image.Image:
    """Make the corners transparent outside of their radius."""
    radius = plan.target.corner_radius
    if not radius:
        return image
    rounded = image.convert("RGBA" if image.mode in ("RGB", "RGBA") else "LA")
    mask = corner_mask(image.size, min(image.size) / 2 if radius == "max" else radius)
    rounded.putalpha(ImageChops.multiply(rounded.getchannel("A"), mask))
    return rounded


def flatten(image: Image.Image, plan: Plan) -> Image.Image:
    """Lay a transparent image on the target's background if its output type has no (half) transparency."""
    output = OUTPUT_TYPES[plan.output]
    if output.soft_alpha or image.mode not in ("LA", "RGBA"):
        return image
    filled = Image.new("RGBA", image.size, plan.target.background)
    flat = Image.alpha_composite(filled, image.convert("RGBA")).convert("RGB")
    if output.alpha:
        flat.putalpha(image.getchannel("A").point(_AT_LEAST_HALF))
    return flat


def to_gray(image: Image.Image, plan: Plan) -> Image.Image:
    """Turn colors into grays by their luma (ITU-R BT.601)."""
    if not plan.target.gray or image.mode in ("L", "LA"):
        return image
    if image.mode == "RGB":
        return image.convert("L")
    grays = image.convert("LA")
    return grays if OUTPUT_TYPES[plan.output].soft_alpha else grays.convert("RGBA")  # which GIF needs


def strip(image: Image.Image, _plan: Plan) -> Image.Image:
    """Return the pixels alone: no metadata that an encoder would write, and no tie to the source file.

    Pillow's `save` asks an `ImageFile` for the path of its file, for which it needs the working directory: a system
    call that the sandbox refuses.
    """
    if not image.info and not isinstance(image, ImageFile.ImageFile):
        return image
    bare = image.copy()
    bare.info.clear()
    return bare


Step = Callable[[Image.Image, Plan], Image.Image]

FRAME_STEPS: tuple[Step, ...] = (eight_bits, reduce, orient, to_srgb, strip)
"""From a decoded image to an upright frame in sRGB."""
OUTPUT_STEPS: tuple[Step, ...] = (crop, sharpen, pad, watermark, round_corners, flatten, to_gray)
"""From a frame to an output."""


def decided(frame: Image.Image, plan: Plan, attention: Attention) -> Plan:
    """Return the *plan* with what depends on the first *frame*: the crop, the type of `auto`, the background.

    *attention* is that of the frame, at some scale.
    """
    target = plan.target
    left, top, right, bottom = plan.placement.crop
    size = right - left, bottom - top
    if isinstance(target.focus, str) and target.focus != "centre" and size != frame.size:
        box = attention.crop(target.focus, frame, size)
        plan = replace(plan, placement=plan.placement._replace(crop=box))
    if target.output == "auto" and (target.corner_radius or is_transparent(frame)):
        plan = replace(plan, output="png")
    background = target.background
    if background == "dominant":
        background = "#{:02x}{:02x}{:02x}".format(*dominant_color(frame))
    elif plan.embedded.profile:
        color_there = color.from_srgb(Image.new("RGB", (1, 1), background), plan.embedded.profile)
        background = f"#{color_there.tobytes().hex()}"
    if background != target.background:
        plan = replace(plan, target=target.model_copy(update={"background": background}))
    return plan


def is_transparent(image: Image.Image) -> bool:
    """Whether anything shines through, not only could."""
    return image.mode in ("LA", "RGBA") and image.getchannel("A").getextrema() != (255, 255)
