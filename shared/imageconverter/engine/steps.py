"""The single steps from a decoded image to one that can be encoded; each takes and returns an image."""

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image, ImageFile

from imageconverter.engine import color
from imageconverter.engine.decode import ImageInfo
from imageconverter.engine.focus import entropy_crop
from imageconverter.engine.geometry import Placement, Region
from imageconverter.engine.output_types import OUTPUT_TYPES
from imageconverter.engine.resize import resize
from imageconverter.engine.target import OutputType, Target

_TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_AT_LEAST_HALF = [0] * 128 + [255] * 128


@dataclass(frozen=True)
class Plan:
    """The parameters of the steps for one output."""

    info: ImageInfo
    region: Region
    """The part of the decoded pixels that is the image."""
    target: Target
    placement: Placement
    output: OutputType


def eight_bits(image: Image.Image, _plan: Plan) -> Image.Image:
    """Palettes, bitmaps and deep images become 8 bits a channel, so that they can be resized."""
    return color.to_eight_bits(image)


def reduce(image: Image.Image, plan: Plan) -> Image.Image:
    """Resize from the decoded scale to the frame, still in the source's axes: turning fewer pixels is cheap."""
    frame = plan.placement.frame
    return resize(image, frame[::-1] if plan.info.is_sideways else frame, plan.region)


def orient(image: Image.Image, plan: Plan) -> Image.Image:
    """Apply the EXIF orientation."""
    method = _TRANSPOSE.get(plan.info.orientation)
    return image if method is None else image.transpose(method)


def to_srgb(image: Image.Image, plan: Plan) -> Image.Image:
    """Bring the colors to sRGB (or gray), which is what an image without a profile means."""
    return color.convert(image, plan.info.color)


def crop(image: Image.Image, plan: Plan) -> Image.Image:
    """Cut the frame to the part that the target keeps."""
    _, box, _ = plan.placement
    if box == (0, 0, *image.size):
        return image
    if plan.target.focus == "entropy":
        box = entropy_crop(image, (box[2] - box[0], box[3] - box[1]))
    return image.crop(box)


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
OUTPUT_STEPS: tuple[Step, ...] = (crop, pad, flatten)
"""From a frame to an output."""


def is_transparent(image: Image.Image) -> bool:
    """Whether anything shines through, not only could."""
    return image.mode in ("LA", "RGBA") and image.getchannel("A").getextrema() != (255, 255)
