"""Encoding finished images: the options of each output type, chosen for speed at equal quality."""

import functools
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from PIL import AvifImagePlugin, GifImagePlugin, Image, ImageChops, WebPImagePlugin  # noqa: F401 - they encode
from PIL.PngImagePlugin import PngInfo

from imageconverter.engine import jpeg, photograph_png
from imageconverter.engine.animation import Timing
from imageconverter.engine.auto_quality import HIGHEST, find_quality
from imageconverter.engine.embedded import NOTHING, Embedded
from imageconverter.engine.few_colors import Compact, compact
from imageconverter.engine.jpegli import encode_jpegli, takes
from imageconverter.engine.output_types import OUTPUT_TYPES
from imageconverter.engine.score import Encoder
from imageconverter.engine.target import OutputType, Target, VariantType

# The last entries of a GIF's palette.
_WHITE = 254
_TRANSPARENT = 255
_SMALL = 10_000  # pixels
# Pixels from which on two threads encode an AVIF: in little more than half the time if a core is free.
_WIDE = 1_000_000
_MAX_SAMPLE = 4096  # pixels a side
# The lowest quality for an image that would be larger than its source, and how near the best one is approached.
_FLOOR = 50
_STEPS = {"jpeg": 4, "webp": 4, "avif": 16}  # an AVIF takes seconds

# Qualities of JPEG, and those at which the other type has the same median of SSIMULACRA2.
_EQUAL_QUALITIES: Mapping[VariantType, tuple[Sequence[int], Sequence[int]]] = {
    "avif": ((0, 60, 75, 82, 90, 100), (0, 50, 59, 67, 79, 100)),
    "webp": ((0, 60, 75, 82, 90, 100), (0, 61, 80, 86, 92, 100)),
}


_Save = Callable[..., bytes]


class SourceSize(NamedTuple):
    """What an output of the source's own type, with no more pixels, is not to exceed."""

    bytes: int
    quality: int | None
    """The quality that the source was coded with; None if it is not known."""


def encode(
    frames: Sequence[Image.Image],
    timing: Timing,
    output: OutputType,
    target: Target,
    source: SourceSize | None = None,
    embedded: Embedded = NOTHING,
) -> tuple[bytes, str]:
    """Encode an image, or an animation of several *frames*, each L, LA, RGB or RGBA; returns it and a warning.

    There must be no alpha for JPEG, and none but 0 and 255 for GIF, in RGBA. An image, not an animation, is made no
    larger than its *source* as far as that goes.
    """
    save = functools.partial(_SAVERS[output], **embedded.options(output, target))
    quality, data = _at_quality(frames, timing, output, target, save)
    if source is not None and len(data) > source.bytes and len(frames) == 1:
        data = min(data, _not_above(source, frames[0], output, target, quality, save), key=len)
    max_bytes = (target.max_kilobytes or 0) * 1000
    if not max_bytes or len(data) <= max_bytes:
        return data, ""
    if _has_quality(output, target):
        data = _smaller(data, lambda lower: save(frames, timing, target, lower), quality, max_bytes)
    return data, "" if len(data) <= max_bytes else f"The file could not be made as small as {max_bytes // 1000} kB."


def encode_variant(
    frames: Sequence[Image.Image],
    timing: Timing,
    output: VariantType,
    target: Target,
    embedded: Embedded = NOTHING,
) -> bytes:
    """Encode what `encode` gets in a smaller type, at the quality that looks as good as the target's does as JPEG."""
    if target.quality != "auto":
        target = target.model_copy(update={"quality": _equal_quality(output, target.quality)})
    return encode(frames, timing, output, target, embedded=embedded)[0]


def _equal_quality(output: VariantType, quality: int) -> int:
    return max(1, round(float(np.interp(quality, *_EQUAL_QUALITIES[output]))))


def _has_quality(output: OutputType, target: Target) -> bool:
    return OUTPUT_TYPES[output].lossy and not (output == "webp" and target.lossless)


def _at_quality(
    frames: Sequence[Image.Image], timing: Timing, output: OutputType, target: Target, save: _Save
) -> tuple[int, bytes]:
    """Return the quality, and the file; where the quality is `auto`, the first frame decides on it, or its middle."""
    if target.quality != "auto":
        return target.quality, save(frames, timing, target, target.quality)
    if not _has_quality(output, target):
        return HIGHEST, save(frames, timing, target, HIGHEST)
    sample = _middle(frames[0])
    quality, data = find_quality(
        lambda tried: save([sample], timing, target, tried),
        sample,
        _encoder(sample, output, target),
        target.target_score,
    )
    is_all = len(frames) == 1 and sample is frames[0]
    return quality, data if is_all else save(frames, timing, target, quality)


def _middle(image: Image.Image) -> Image.Image:
    """Return the middle of *image* if it is so large that decoding it again would take much memory."""
    width, height = (min(side, _MAX_SAMPLE) for side in image.size)
    if (width, height) == image.size:
        return image
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def _encoder(image: Image.Image, output: OutputType, target: Target) -> Encoder:
    match output:
        case "webp" | "avif":
            return output
        case _:
            return "jpegli" if takes(image, target) else "libjpeg"


def _not_above(
    source: SourceSize, image: Image.Image, output: OutputType, target: Target, quality: int, save: _Save
) -> bytes:
    """Return the best file of at most the *source*'s bytes, of at most the *quality*, but not below its floor.

    A quality below that of the source would be a loss, and below `_FLOOR` one that is seen.
    """
    if output == "png":
        return save([image], Timing(), target, quality, compress_level=9)
    if not _has_quality(output, target):
        return save([image], Timing(), target, quality)
    options = {"optimize": True} if output == "jpeg" else {}
    floor = min(quality, _FLOOR, source.quality or _FLOOR)
    best = save([image], Timing(), target, floor, **options)
    too_much = quality + 1
    while too_much - floor > _STEPS[output] and len(best) <= source.bytes:
        quality = (too_much + floor) // 2
        made = save([image], Timing(), target, quality, **options)
        if len(made) <= source.bytes:
            floor, best = quality, made
        else:
            too_much = quality
    return best


def _smaller(data: bytes, at_quality: Callable[[int], bytes], too_much: int, max_bytes: int) -> bytes:
    """Return the best of at most *max_bytes* below the quality *too_much*, or the smallest there is."""
    enough = 0
    while too_much - enough > 1:
        quality = (too_much + enough) // 2
        made = at_quality(quality)
        if len(made) <= max_bytes:
            enough, data = quality, made
        else:
            too_much = quality
            if enough == 0:
                data = made
    return data


def _jpeg(frames: Sequence[Image.Image], _timing: Timing, target: Target, quality: int, **options: Any) -> bytes:
    small = None
    if takes(frames[0], target):
        header = jpeg.header(**{name: options[name] for name in ("dpi", "exif", "icc_profile") if name in options})
        small = encode_jpegli(frames[0], quality, header=header, comment=target.comment)
    if small is not None and target.quality == "auto":  # the quality is found for it
        return small
    if target.comment:
        options["comment"] = target.comment.encode()
    made = _saved(
        frames[:1], "JPEG", quality=quality, subsampling=target.chroma, progressive=target.progressive, **options
    )
    return min(made, small or made, key=len)


def _png(frames: Sequence[Image.Image], timing: Timing, target: Target, _quality: int, **options: Any) -> bytes:
    is_fast, is_bare = "compress_level" not in options, not options and not target.comment
    options.setdefault("compress_level", photograph_png.LEVEL)
    if len(frames) > 1:
        options |= {"duration": timing.milliseconds, "loop": timing.plays}
    if target.comment:
        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_text("Comment", target.comment)
    if len(frames) > 1:
        return _saved(frames, "PNG", **options)
    if is_fast and not _is_small(frames[0]) and photograph_png.is_photograph(frames[0]):
        compacted = compact(frames[0]).image
        if is_bare and photograph_png.can_encode(compacted):
            return photograph_png.encode_photograph(compacted)
        options["compress_type"] = photograph_png.RUNS_ONLY
    made = _saved_compact(frames[0], **options)
    # The colors of a palette take more bytes than they save if there are few pixels.
    return min(made, _saved(frames, "PNG", **options), key=len) if _is_small(frames[0]) else made


def _saved_compact(image: Image.Image, **options: Any) -> bytes:
    compacted = compact(image)
    if compacted.image.mode != image.mode and compacted.image.mode in ("1", "L") and "icc_profile" in options:
        compacted = Compact(image)  # whose profile is for RGB
    if compacted.transparency:
        options["transparency"] = compacted.transparency
    return _saved([compacted.image], "PNG", **options)


def _is_small(image: Image.Image) -> bool:
    return image.width * image.height < _SMALL


def _webp(frames: Sequence[Image.Image], timing: Timing, target: Target, quality: int, **options: Any) -> bytes:
    moving = {"duration": timing.milliseconds, "loop": timing.plays} if len(frames) > 1 else {}
    return _saved(frames, "WEBP", quality=quality, method=4, lossless=target.lossless, **moving, **options)


def _avif(frames: Sequence[Image.Image], timing: Timing, target: Target, quality: int, **options: Any) -> bytes:
    moving = {"duration": timing.milliseconds} if len(frames) > 1 else {}
    chroma = "4:0:0" if frames[0].mode == "L" else target.chroma
    return _saved(frames, "AVIF", quality=quality, speed=8, subsampling=chroma, max_threads=1, **moving, **options)


def _gif(frames: Sequence[Image.Image], timing: Timing, target: Target, _quality: int) -> bytes:
    options: dict[str, Any] = {"comment": target.comment.encode()} if target.comment else {}
    if len(frames) > 1:
        options["duration"] = timing.milliseconds
        if timing.plays != 1:
            options["loop"] = max(0, timing.plays - 1)  # how often it is repeated
    if any(frame.mode == "RGBA" for frame in frames):
        options |= {"transparency": _TRANSPARENT, "disposal": 2}
    return _saved([frame if frame.mode == "L" else _with_palette(frame) for frame in frames], "GIF", **options)


_SAVERS: dict[OutputType, _Save] = {
    "jpeg": _jpeg,
    "png": _png,
    "webp": _webp,
    "avif": _avif,
    "gif": _gif,
}


def _saved(frames: Sequence[Image.Image], kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    if len(frames) > 1:
        options |= {"save_all": True, "append_images": frames[1:]}
    frames[0].save(buffer, kind, **options)
    return buffer.getvalue()


def _with_palette(image: Image.Image) -> Image.Image:
    """Return *image* (RGB or RGBA) in the 256 colors of a GIF, the last two of which are white and transparent.

    An octree with dithering, for with its other palettes Pillow saves on rare colors: the one red ladybird in
    the grass becomes brown. White is set aside because Pillow dithers in steps of four levels.
    """
    rgb = image.convert("RGB")
    indexed = rgb.quantize(
        palette=rgb.quantize(_WHITE, Image.Quantize.FASTOCTREE), dither=Image.Dither.FLOYDSTEINBERG
    )
    indexed.putpalette(bytes(indexed.getpalette() or []).ljust(3 * _WHITE, b"\0") + b"\xff" * 6)
    darkest = functools.reduce(ImageChops.darker, rgb.split())
    indexed.paste(_WHITE, mask=darkest.point([0] * 255 + [255]))
    if image.mode == "RGBA":
        indexed.paste(_TRANSPARENT, mask=ImageChops.invert(image.getchannel("A")))
    return indexed
