"""Whether the coded image data of a source may be kept for an output."""

from collections.abc import Callable, Mapping
from typing import IO, NamedTuple

from PIL import Image

from imageconverter.engine import steps
from imageconverter.engine.coded_data import gif, jpeg, png, webp
from imageconverter.engine.coded_data.coding import Coding, WithoutMetadata
from imageconverter.engine.decoder_errors import DECODER_ERRORS, raise_refusal
from imageconverter.engine.encode import SourceSize
from imageconverter.engine.steps import Plan
from imageconverter.engine.target import OutputType, Target


class _Type(NamedTuple):
    """How the data of one output type are kept."""

    source: str
    """The name of the source type."""
    without_metadata: WithoutMetadata
    permits: Callable[[Coding, Target], bool]
    """Whether the target's options permit data of this coding."""
    is_preferred: Callable[[Coding, Target], bool]
    """Whether to keep them without a look at what the encoder would make."""


_TYPES: Mapping[OutputType, _Type] = {
    "jpeg": _Type("JPEG", jpeg.without_metadata, jpeg.permits, jpeg.is_preferred),
    "png": _Type("PNG", png.without_metadata, lambda _coding, _target: True, lambda _coding, _target: False),
    "webp": _Type("WebP", webp.without_metadata, webp.permits, lambda _coding, _target: False),
    "gif": _Type("GIF", gif.without_metadata, lambda _coding, _target: True, lambda _coding, _target: True),
}
_OWN_TYPES = {"AVIF": "avif", **{kind.source: output for output, kind in _TYPES.items()}}


class Kept(NamedTuple):
    """A file with the coded data of the source, and without its metadata."""

    data: bytes
    is_preferred: bool
    """Whether it is the output in any case; else only if the encoder does not make a much smaller one."""


def keep(source: IO[bytes], image: Image.Image, plan: Plan, *, animated: bool) -> Kept | None:
    """Return the source's coded data as an output by *plan*, of which *image* is the decoded (first) frame.

    *animated* says whether the output gets all frames. Returns None if the output is not the same image in the same
    file type, if the target's options ask for something else, or if the data have a fault that decoders tolerate.
    """
    kind = _TYPES.get(plan.output)
    if kind is None or kind.source != plan.info.format.name:
        return None
    try:
        if not _is_same(image, plan, animated=animated):
            return None
        source.seek(0)
        coding = kind.without_metadata(source.read(), plan.placement.frame, animated=animated)
    except (*DECODER_ERRORS, MemoryError) as error:
        raise_refusal(error)
        return None
    if coding is None or not kind.permits(coding, plan.target):
        return None
    if plan.target.max_kilobytes and len(coding.data) > 1000 * plan.target.max_kilobytes:
        return None
    return Kept(coding.data, kind.is_preferred(coding, plan.target))


def source_size(image: Image.Image, plan: Plan) -> SourceSize | None:
    """Return what an output by *plan* is not to exceed; *image* is the opened source.

    None if it has another type or more pixels than the source, or is to be encoded as the target says in any case.
    """
    info, size = plan.info, plan.placement.canvas
    if (
        _OWN_TYPES.get(info.format.name) != plan.output
        or size[0] * size[1] > info.size[0] * info.size[1]
        or plan.target.reencode
    ):
        return None
    quality = jpeg.quality_of(getattr(image, "quantization", {}))
    return SourceSize(round(info.density * info.size[0] * info.size[1]), quality)


def _is_same(image: Image.Image, plan: Plan, *, animated: bool) -> bool:
    """Whether all steps would leave the image as it is."""
    target, (frame, crop, canvas) = plan.target, plan.placement
    return (
        target.output != "auto"
        and not target.reencode
        and not (target.comment or target.watermark or target.corner_radius or target.gray or target.dpi)
        and not any(plan.embedded)
        and plan.info.orientation == 1
        and plan.info.animated == animated
        and plan.info.size == frame == canvas == image.size
        and crop == plan.region == (0, 0, *frame)
        and not (steps.is_filled(target) and image.has_transparency_data)
        and _keeps_colors(image, plan)
    )


def _keeps_colors(image: Image.Image, plan: Plan) -> bool:
    """Whether the image is in sRGB or gray already: asked with one pixel, for it does not depend on the pixels."""
    pixel = steps.eight_bits(image.crop((0, 0, 1, 1)), plan)
    if pixel.mode == "LA":
        pixel = pixel.getchannel("L")
    return pixel.mode in ("L", "RGB", "RGBA") and steps.to_srgb(pixel, plan) is pixel
