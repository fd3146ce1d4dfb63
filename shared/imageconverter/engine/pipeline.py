"""From one source to all of its outputs: decoded once, the larger outputs first, the smaller from them."""

import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import IO, NamedTuple

from PIL import Image

from imageconverter.engine import color, focal_point, steps
from imageconverter.engine.animation import Frames, Timing
from imageconverter.engine.attention import Attention
from imageconverter.engine.borders import inner_box
from imageconverter.engine.coded_data import Kept, keep, shows, source_size
from imageconverter.engine.decode import ImageInfo, load, open_image, warnings_of
from imageconverter.engine.decoder_errors import DECODER_ERRORS, raise_refusal
from imageconverter.engine.embedded import Embedded, read_embedded
from imageconverter.engine.encode import SourceSize, encode, encode_variant
from imageconverter.engine.faces import needed_size
from imageconverter.engine.fact_reading import FACTS_TARGET, read_facts
from imageconverter.engine.facts import Facts
from imageconverter.engine.geometry import Box, Region, Size, place
from imageconverter.engine.limits import Limits
from imageconverter.engine.metadata import regions
from imageconverter.engine.output_types import OUTPUT_TYPES, Converted, Failed, Variant
from imageconverter.engine.resize import resize
from imageconverter.engine.steps import FRAME_STEPS, OUTPUT_STEPS, Plan
from imageconverter.engine.target import OutputType, Point, Target, VariantType
from imageconverter.engine.watermark import read_overlay
from imageconverter.errors import ImageError, ImageTooLarge

# A frame serves as source for a smaller one from this ratio on; a smaller Lanczos step would blur.
_MIN_REDUCTION = 1.25
# A source's own data are kept unless encoding them anew brings them down to this share: it loses detail or time.
_MIN_SAVING = 0.9
_FIRST_FRAME_ONLY = "Only the first frame of the animation was converted."


class _Decoded(NamedTuple):
    """A decoded source."""

    info: ImageInfo
    embedded: Embedded
    region: Region
    inner: Callable[[int], Box]
    """Finds the part of the region without borders, by their tolerance."""
    own_point: Callable[[], Point | None]
    """Reads the focal point in the file, in the axes of the image as it is stored."""


@dataclass
class _MadeFrames:
    """What was made of one decoded frame: the same part of the source at several scales, in the same colors."""

    frames: list[Image.Image] = field(default_factory=list)
    """The largest one is first."""

    attention: Attention | None = None
    """What catches the eye in it."""


_AllMade = dict[tuple[bool, Region, bytes], _MadeFrames]
"""All that was made of one decoded frame, by what its frames have in common."""


@dataclass
class _PendingOutput:
    """An output until it is encoded."""

    plan: Plan
    moving: bool
    """Whether it gets all frames of an animation."""
    watermark: bytes = b""
    """The file, b"" if there is none."""
    seconds: float = 0.0
    images: list[Image.Image] = field(default_factory=list)
    """The finished frames."""
    kept: Kept | None = None
    """The source's own coded data, if they may be the output."""
    max_size: SourceSize | None = None
    """The size that it is not to exceed, because its source does not."""
    result: Converted | Failed | None = None

    @property
    def area(self) -> int:
        """Of its frame, in pixels."""
        width, height = self.plan.placement.frame
        return width * height


def convert(
    source: IO[bytes],
    targets: Sequence[Target],
    limits: Limits | None = None,
    on_opened: Callable[[Image.Image, ImageInfo], None] | None = None,
    watermarks: Mapping[str, bytes] | None = None,
    on_facts: Callable[[Facts], None] | None = None,
) -> list[Converted | Failed]:
    """Convert the image in *source* (a seekable file) to all *targets*; results are in their order.

    *on_opened* is called with the opened image before it is decoded; *watermarks* are those of the targets, by their
    paths; *on_facts* is called with the facts of the image, if it is given. Raises ImageError if the source itself
    cannot be read.
    """
    began = time.perf_counter()
    limits = limits or Limits()
    image, info = open_image(source, limits)
    with image:
        if on_opened is not None:
            on_opened(image, info)
        embedded = read_embedded(source, image, info, targets)
        needed = [*targets, FACTS_TARGET] if on_facts is not None else targets
        region = load(image, info, at_least=_needed_extents(info, needed), truncated=limits.truncated)
        decoded = _Decoded(
            info, embedded, region, functools.cache(functools.partial(inner_box, image)), _own_point(info)
        )
        outputs = [_pending_output(decoded, target, watermarks or {}) for target in targets]
        largest_first = sorted(outputs, key=lambda output: output.area, reverse=True)
        for output in largest_first[:1]:
            output.seconds = time.perf_counter() - began
        frames = Frames(image, limits) if any(output.moving for output in outputs) else None
        for number, frame in enumerate(frames or [image], start=1):
            if number == 1:
                _compare(outputs, source, frame)
            made = _add_frame(frame, number, largest_first, limits)
            if number == 1 and on_facts is not None:
                with _attempt_facts():
                    on_facts(_facts(frame, decoded, made))
    if frames is not None:
        _encode_animations(outputs, frames)
    return [_finished(output, warnings_of(image)) for output in outputs]


def _own_point(info: ImageInfo) -> Callable[[], Point | None]:
    """Return what reads the focal point in a file. Where the decoder has turned the image, its axes are unknown."""
    packet = b"" if info.format.oriented_by_decoder else info.xmp
    return functools.cache(functools.partial(regions.focal_point, packet, info.as_stored.size))


def _compare(outputs: Sequence[_PendingOutput], source: IO[bytes], decoded: Image.Image) -> None:
    """Find what the *outputs* can keep of the source, if nothing was lost, and how large they may be."""
    lost = warnings_of(decoded)
    for output in outputs:
        output.kept = None if lost else keep(source, decoded, output.plan, animated=output.moving)
        output.max_size = None if "missing" in decoded.info else source_size(decoded, output.plan)


def _needed_extents(info: ImageInfo, targets: Sequence[Target]) -> Size:
    """Return the width and height, as they are stored, that the largest of the outputs need; at least 1 x 1."""
    extents = [(1, 1)]
    for target in targets:
        if _is_trimmed(info, target):
            return info.as_stored.size
        seen = _seen(info, target)
        frames = [place(seen.size, target).frame]
        if target.looks_for_faces:
            frames.append(needed_size(seen.size))
        extents += [frame[::-1] if seen.is_sideways else frame for frame in frames]
    widths, heights = zip(*extents, strict=True)
    return max(widths), max(heights)


def _seen(info: ImageInfo, target: Target) -> ImageInfo:
    """Return the image as *target* sees it: upright, or as it is stored."""
    return info if target.auto_rotate else info.as_stored


def _pending_output(decoded: _Decoded, target: Target, watermarks: Mapping[str, bytes]) -> _PendingOutput:
    info, region = decoded.info, decoded.region
    output = _output_type(info, target)
    if _is_trimmed(info, target):
        region = box = decoded.inner(target.trim or 0)
        info = info.cropped(box)
    seen = _seen(info, target)
    if (point := _focal_point(decoded, target)) is not None:
        target = target.model_copy(update={"focus": _focus_at(point, decoded.info, seen, region)})
    embedded = decoded.embedded.of(output, target)
    return _PendingOutput(
        Plan(seen, region, target, place(seen.size, target), output, embedded),
        _is_moving(info, target),
        watermarks.get(target.watermark, b""),
    )


def _focal_point(decoded: _Decoded, target: Target) -> Point | None:
    """Return the point, of the image as it is stored, that *target* is to keep: a known one, or that of the file."""
    if target.fit != "crop" or target.focal_point is False:
        return None
    if isinstance(target.focal_point, tuple):
        return focal_point.turned_back(target.focal_point, decoded.info.turn)
    return decoded.own_point()


def _focus_at(stored: Point, info: ImageInfo, seen: ImageInfo, region: Region) -> Point:
    """Return where a point of the image, as it is *stored*, is in what is *seen* of it, a *region* or all."""
    if seen.as_stored.size != info.as_stored.size:
        stored = focal_point.inside(stored, info.as_stored.size, region)
    return focal_point.turned(stored, seen.turn)


def _is_trimmed(info: ImageInfo, target: Target) -> bool:
    """Whether borders are cut off: not of animations, for what is border in one frame may not be so in another."""
    return target.trim is not None and not _is_moving(info, target)


def _is_moving(info: ImageInfo, target: Target) -> bool:
    """Whether the output gets all frames of an animation."""
    return info.animated and target.animation and OUTPUT_TYPES[_output_type(info, target)].animation


def _output_type(info: ImageInfo, target: Target) -> OutputType:
    """Return the output type; for `auto` it is JPEG until an image turns out to be transparent."""
    if target.output == "keep":
        return info.format.kept_as
    return "jpeg" if target.output == "auto" else target.output


def _add_frame(
    decoded: Image.Image, number: int, largest_first: Sequence[_PendingOutput], limits: Limits
) -> _AllMade:
    """Make the images of all outputs from one decoded frame, the *number*-th; encode those that get no more.

    Returns the frames that were made of it.
    """
    made: _AllMade = {}
    for output in largest_first:
        if output.result is None:
            with _attempt(output):
                _check_output(output.plan, number, limits)
                output.images.append(_image(decoded, output, made.setdefault(_origin(output.plan), _MadeFrames())))
                if not output.moving:  # at once, while the processor has it in its cache
                    output.result = _encoded(output, Timing(), _FIRST_FRAME_ONLY if output.plan.info.animated else "")
    return made


def _origin(plan: Plan) -> tuple[bool, Region, bytes]:
    """Return what the frames have in common that can be made of each other."""
    return plan.target.auto_rotate, plan.region, plan.embedded.profile


def _facts(image: Image.Image, decoded: _Decoded, made: _AllMade) -> Facts:
    """Return the facts of the decoded *image*, by the smallest of the frames *made* that is large enough."""
    info = decoded.info
    plan = Plan(info, decoded.region, FACTS_TARGET, place(info.size, FACTS_TARGET), "png")
    frame = _frame(image, plan, made.get(_origin(plan), _MadeFrames()).frames)
    return read_facts(image, frame, info, alpha=steps.is_transparent(color.to_eight_bits(image)))


@contextmanager
def _attempt_facts() -> Iterator[None]:
    """Do without facts if they cannot be made: the outputs can."""
    try:
        yield
    except (*DECODER_ERRORS, MemoryError) as error:
        raise_refusal(error)


def _encode_animations(outputs: Sequence[_PendingOutput], frames: Frames) -> None:
    for output in outputs:
        if output.result is None:
            with _attempt(output):
                output.result = _animated(output, frames)


@contextmanager
def _attempt(output: _PendingOutput) -> Iterator[None]:
    """Record the error of one output, and the time that it took."""
    began = time.perf_counter()
    try:
        yield
    except ImageError as error:
        output.result = Failed(error.reason)
    except MemoryError:
        output.result = Failed(ImageTooLarge("The output needs more memory than is allowed.").reason)
    except DECODER_ERRORS as error:
        raise_refusal(error)
        output.result = Failed(f"The output could not be made: {error}")
    output.seconds += time.perf_counter() - began


def _check_output(plan: Plan, frames: int, limits: Limits) -> None:
    """Raise ImageTooLarge if enlarging exceeds the limit: `cover` widens a line of 1 x 10,000 pixels to its box."""
    area = max(width * height for width, height in (plan.placement.frame, plan.placement.canvas))
    if area * frames > limits.pixels:
        raise ImageTooLarge(f"The output would have more than {limits.pixels / 1e6:g} megapixels.")


def _image(decoded: Image.Image, output: _PendingOutput, made: _MadeFrames) -> Image.Image:
    """Make one output's image; its frame is added to those *made* so far."""
    image = _frame(decoded, output.plan, made.frames)
    if not output.images:
        made.attention = made.attention or Attention(
            made.frames[0], functools.partial(_for_faces, decoded, output.plan)
        )
        output.plan = steps.decided(image, output.plan, made.attention)
        if output.plan.target.watermark:
            output.plan = _with_overlay(output.plan, output.watermark)
    for step in OUTPUT_STEPS:
        image = step(image, output.plan)
    return image


def _for_faces(decoded: Image.Image, plan: Plan) -> Image.Image:
    """Make the whole image at the scale in which faces are looked for."""
    size = needed_size(plan.info.size)
    return _frame(decoded, replace(plan, placement=plan.placement._replace(frame=size)), [])


def _with_overlay(plan: Plan, watermark: bytes) -> Plan:
    """Return the *plan* with what is made of a file with its watermark. Raises Undecodable if that cannot be used."""
    overlay = read_overlay(watermark, plan.target, plan.placement.canvas, plan.embedded.profile)
    return replace(plan, overlay=overlay)


def _frame(decoded: Image.Image, plan: Plan, frames_so_far: list[Image.Image]) -> Image.Image:
    """Make the whole image at the plan's scale, from the smallest frame so far that is large enough."""
    width, height = plan.placement.frame
    for parent in reversed(frames_so_far):
        if parent.size == (width, height):
            return parent
        if min(parent.width / width, parent.height / height) >= _MIN_REDUCTION:
            frame = resize(parent, (width, height))
            break
    else:
        frame = decoded
        for step in FRAME_STEPS:
            frame = step(frame, plan)
    frames_so_far.append(frame)
    return frame


def _animated(output: _PendingOutput, frames: Frames) -> Converted:
    """Encode the finished frames, or only the first one if there were too many."""
    if frames.too_many:
        del output.images[1:]
    return _encoded(output, Timing() if frames.too_many else frames.timing, frames.lost)


def _encoded(output: _PendingOutput, timing: Timing, lost: str) -> Converted:
    plan, size = output.plan, output.images[0].size
    kept = None if lost else output.kept
    if kept is not None and not shows(kept.data, plan.output, output.images):
        kept = None
    if kept is not None and kept.is_preferred:
        data, warning = kept.data, ""
    else:
        data, warning = encode(output.images, timing, plan.output, plan.target, output.max_size, plan.embedded)
        if kept is not None and len(data) > _MIN_SAVING * len(kept.data):
            data, warning = kept.data, ""
    variants = _variants(output, timing, max_bytes=len(data))
    output.images.clear()
    return Converted(data, plan.output, size, 0.0, " ".join(filter(None, (lost, warning))), variants)


def _variants(output: _PendingOutput, timing: Timing, *, max_bytes: int) -> tuple[Variant, ...]:
    """Encode the finished frames in the smaller types too; returns the variants that have less than *max_bytes*."""
    plan = output.plan
    found = (_variant(output.images, timing, each, plan) for each in plan.target.variants if each != plan.output)
    return tuple(each for each in found if each is not None and len(each.data) < max_bytes)


def _variant(images: Sequence[Image.Image], timing: Timing, output: VariantType, plan: Plan) -> Variant | None:
    """Encode a variant; returns None if that fails: the output itself is made."""
    try:
        return Variant(output, encode_variant(images, timing, output, plan.target, plan.embedded))
    except (*DECODER_ERRORS, MemoryError) as error:
        raise_refusal(error)
        return None


def _finished(output: _PendingOutput, lost: Sequence[str]) -> Converted | Failed:
    """Return the result of an output, with the time that it took and all warnings."""
    if isinstance(output.result, Converted):
        warning = " ".join(filter(None, (*lost, output.result.warning)))
        return output.result._replace(seconds=output.seconds, warning=warning)
    return output.result or Failed("The output could not be made.")
