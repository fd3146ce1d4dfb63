"""From one source to all of its outputs: decoded once, the larger outputs first, the smaller from them."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import IO, cast

from PIL import Image

from imageconverter.engine import steps
from imageconverter.engine.animation import Frames, Timing
from imageconverter.engine.decode import ImageInfo, load, open_image
from imageconverter.engine.decoder_errors import DECODER_ERRORS, raise_refusal
from imageconverter.engine.encode import encode
from imageconverter.engine.geometry import place
from imageconverter.engine.limits import Limits
from imageconverter.engine.output import OUTPUT_TYPES, Converted, Failed
from imageconverter.engine.resize import resize
from imageconverter.engine.steps import FRAME_STEPS, OUTPUT_STEPS, Plan
from imageconverter.engine.target import OutputType, Target
from imageconverter.errors import ImageError, ImageTooLarge

# A frame serves as source for a smaller one from this ratio on; a smaller Lanczos step would blur.
_MIN_REDUCTION = 1.25
_FIRST_FRAME_ONLY = "Only the first frame of the animation was converted."


@dataclass
class _PendingOutput:
    """An output that is being made."""

    plan: Plan
    moving: bool
    """Whether it gets all frames of an animation."""
    seconds: float = 0.0
    images: list[Image.Image] = field(default_factory=list)
    """The finished frames, until they are encoded."""
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
) -> list[Converted | Failed]:
    """Convert the image in *source* (a seekable file) to all *targets*; results are in their order.

    *on_opened* is called with the opened image before it is decoded. Raises ImageError where the source itself cannot
    be read.
    """
    began = time.perf_counter()
    limits = limits or Limits()
    image, info = open_image(source, limits)
    with image:
        if on_opened is not None:
            on_opened(image, info)
        profile = image.info.get("icc_profile")
        seen = [info if target.auto_rotate else info.as_stored for target in targets]
        places = [place(each.size, target) for each, target in zip(seen, targets, strict=True)]
        stored = [p.frame[::-1] if each.is_sideways else p.frame for each, p in zip(seen, places, strict=True)]
        at_least = max((w for w, _ in stored), default=1), max((h for _, h in stored), default=1)
        region = load(image, info, at_least=at_least)
        pending_outputs = []
        for each, target, placement in zip(seen, targets, places, strict=True):
            output = {"keep": info.format.kept_as, "auto": "jpeg"}.get(target.output, target.output)
            known = profile if isinstance(profile, bytes) else None
            plan = Plan(each, known, region, target, placement, cast("OutputType", output))
            pending_outputs.append(
                _PendingOutput(plan, info.animated and target.animation and OUTPUT_TYPES[plan.output].animation)
            )
        largest_first = sorted(pending_outputs, key=lambda pending: pending.area, reverse=True)
        frames = Frames(image, limits) if any(pending.moving for pending in pending_outputs) else None
        if pending_outputs:
            largest_first[0].seconds = time.perf_counter() - began
        for number, frame in enumerate(frames or [image]):
            frames_so_far: dict[bool, list[Image.Image]] = {True: [], False: []}  # turned upright, and as stored
            for pending in largest_first:
                if pending.result is None:
                    with _attempt(pending):
                        _check_output(pending.plan, number + 1, limits)
                        pending.images.append(_image(frame, pending, frames_so_far[pending.plan.target.auto_rotate]))
                        if not pending.moving:  # at once, while the processor has it in its cache
                            pending.result = _encoded(pending, Timing(), _FIRST_FRAME_ONLY if info.animated else "")
    for pending in pending_outputs:
        if frames is not None and pending.result is None:
            with _attempt(pending):
                pending.result = _animated(pending, frames)
    return [_timed(pending) for pending in pending_outputs]


@contextmanager
def _attempt(pending: _PendingOutput) -> Iterator[None]:
    """Note what goes wrong with one output, and how long it took."""
    began = time.perf_counter()
    try:
        yield
    except ImageError as error:
        pending.result = Failed(error.reason)
    except MemoryError:
        pending.result = Failed(ImageTooLarge("The output needs more memory than is allowed.").reason)
    except DECODER_ERRORS as error:
        raise_refusal(error)
        pending.result = Failed(f"The output could not be made: {error}")
    pending.seconds += time.perf_counter() - began


def _check_output(plan: Plan, frames: int, limits: Limits) -> None:
    """Refuse what enlarging would blow up: cover makes a line of one pixel by 10,000 as wide as its box."""
    area = max(width * height for width, height in (plan.placement.frame, plan.placement.canvas))
    if area * frames > limits.pixels:
        raise ImageTooLarge(f"The output would have more than {limits.pixels / 1e6:g} megapixels.")


def _image(decoded: Image.Image, pending: _PendingOutput, frames_so_far: list[Image.Image]) -> Image.Image:
    """Make one output's image; *frames_so_far* are the frames so far, the largest first, and gets one more."""
    image = _frame(decoded, pending.plan, frames_so_far)
    if pending.plan.target.output == "auto" and steps.is_transparent(image):
        pending.plan = replace(pending.plan, output="png")
    for step in OUTPUT_STEPS:
        image = step(image, pending.plan)
    return image


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


def _animated(pending: _PendingOutput, frames: Frames) -> Converted:
    """Encode the finished frames, or only the first one where there were too many."""
    if frames.too_many:
        del pending.images[1:]
        return _encoded(pending, Timing(), "The animation has too many frames; only the first one was converted.")
    warning = "The animation is broken; the frames before were converted." if frames.broken else ""
    return _encoded(pending, frames.timing, warning)


def _encoded(pending: _PendingOutput, timing: Timing, lost: str) -> Converted:
    plan, size = pending.plan, pending.images[0].size
    data, warning = encode(pending.images, timing, plan.output, plan.target)
    pending.images.clear()
    return Converted(data, plan.output, size, 0.0, " ".join(filter(None, (lost, warning))))


def _timed(pending: _PendingOutput) -> Converted | Failed:
    """Return the result of an output, with the time that it took."""
    if isinstance(pending.result, Converted):
        return pending.result._replace(seconds=pending.seconds)
    return pending.result or Failed("The output could not be made.")
