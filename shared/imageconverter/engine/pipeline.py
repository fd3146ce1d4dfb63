"""From one source to all of its outputs: decoded once, the larger outputs first, the smaller from them."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import IO, cast

from PIL import Image

from imageconverter.engine import steps
from imageconverter.engine.animation import Frames, Timing
from imageconverter.engine.decode import DECODER_ERRORS, ImageInfo, load, open_picture
from imageconverter.engine.encode import encode
from imageconverter.engine.geometry import place
from imageconverter.engine.limits import Limits
from imageconverter.engine.output import OUTPUT_FORMATS, Converted, Failed
from imageconverter.engine.resize import resize
from imageconverter.engine.steps import Plan
from imageconverter.engine.target import OutputType, Target
from imageconverter.errors import PictureError, PictureTooLarge

Step = Callable[[Image.Image, Plan], Image.Image]

# A decoded picture becomes an upright frame in sRGB …
DEVELOP: tuple[Step, ...] = (steps.eight_bits, steps.reduce, steps.orient, steps.to_srgb, steps.strip)
# … and a frame becomes an output.
FINISH: tuple[Step, ...] = (steps.crop, steps.pad, steps.flatten)

# A frame serves as source for a smaller one from this ratio on; a smaller Lanczos step would blur.
_LEAST_REDUCTION = 1.25
_STILL = "Only the first frame of the animation was converted."


@dataclass
class _Making:
    """An output that is being made."""

    plan: Plan
    moving: bool
    """Whether it gets all frames of an animation."""
    seconds: float = 0.0
    pictures: list[Image.Image] = field(default_factory=list)
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
    look: Callable[[Image.Image, ImageInfo], None] | None = None,
) -> list[Converted | Failed]:
    """Convert the picture in *source* (a seekable file) to all *targets*; results are in their order.

    *look* is called with the opened picture before it is decoded. Raises PictureError where the source itself cannot
    be read.
    """
    began = time.perf_counter()
    limits = limits or Limits()
    image, info = open_picture(source, limits)
    with image:
        if look is not None:
            look(image, info)
        profile = image.info.get("icc_profile")
        seen = [info if target.auto_rotate else info.as_stored for target in targets]
        places = [place(each.size, target) for each, target in zip(seen, targets, strict=True)]
        stored = [p.frame[::-1] if each.is_sideways else p.frame for each, p in zip(seen, places, strict=True)]
        at_least = max((w for w, _ in stored), default=1), max((h for _, h in stored), default=1)
        region = load(image, info, at_least=at_least)
        makings = []
        for each, target, placement in zip(seen, targets, places, strict=True):
            output = {"keep": info.format.kept_as, "auto": "jpeg"}.get(target.output, target.output)
            known = profile if isinstance(profile, bytes) else None
            plan = Plan(each, known, region, target, placement, cast("OutputType", output))
            makings.append(
                _Making(plan, info.animated and target.animation and OUTPUT_FORMATS[plan.output].animation)
            )
        largest_first = sorted(makings, key=lambda making: making.area, reverse=True)
        frames = Frames(image, limits) if any(making.moving for making in makings) else None
        if makings:
            largest_first[0].seconds = time.perf_counter() - began
        for number, frame in enumerate(frames or [image]):
            developed: dict[bool, list[Image.Image]] = {True: [], False: []}  # turned upright, and as stored
            for making in largest_first:
                if making.result is None:
                    with _attempt(making):
                        _check_output(making.plan, number + 1, limits)
                        making.pictures.append(_picture(frame, making, developed[making.plan.target.auto_rotate]))
                        if not making.moving:  # at once, while the processor has it in its cache
                            making.result = _encoded(making, Timing(), _STILL if info.animated else "")
    for making in makings:
        if frames is not None and making.result is None:
            with _attempt(making):
                making.result = _animated(making, frames)
    return [_timed(making) for making in makings]


@contextmanager
def _attempt(making: _Making) -> Iterator[None]:
    """Note what goes wrong with one output, and how long it took."""
    began = time.perf_counter()
    try:
        yield
    except PictureError as error:
        making.result = Failed(error.reason)
    except MemoryError:
        making.result = Failed(PictureTooLarge("The output needs more memory than is allowed.").reason)
    except DECODER_ERRORS as error:
        making.result = Failed(f"The output could not be made: {error}")
    making.seconds += time.perf_counter() - began


def _check_output(plan: Plan, frames: int, limits: Limits) -> None:
    """Refuse what enlarging would blow up: cover makes a line of one pixel by 10,000 as wide as its box."""
    area = max(width * height for width, height in (plan.placement.frame, plan.placement.canvas))
    if area * frames > limits.pixels:
        raise PictureTooLarge(f"The output would have more than {limits.pixels / 1e6:g} megapixels.")


def _picture(decoded: Image.Image, making: _Making, developed: list[Image.Image]) -> Image.Image:
    """Make one output's picture; *developed* are the frames so far, the largest first, and gets one more."""
    image = _frame(decoded, making.plan, developed)
    if making.plan.target.output == "auto" and steps.is_transparent(image):
        making.plan = replace(making.plan, output="png")
    for step in FINISH:
        image = step(image, making.plan)
    return image


def _frame(decoded: Image.Image, plan: Plan, developed: list[Image.Image]) -> Image.Image:
    """Make the whole picture at the plan's scale, from the smallest frame so far that is large enough."""
    width, height = plan.placement.frame
    for parent in reversed(developed):
        if parent.size == (width, height):
            return parent
        if min(parent.width / width, parent.height / height) >= _LEAST_REDUCTION:
            frame = resize(parent, (width, height))
            break
    else:
        frame = decoded
        for step in DEVELOP:
            frame = step(frame, plan)
    developed.append(frame)
    return frame


def _animated(making: _Making, frames: Frames) -> Converted:
    """Encode the finished frames, or only the first one where there were too many."""
    if frames.too_many:
        del making.pictures[1:]
        return _encoded(making, Timing(), "The animation has too many frames; only the first one was converted.")
    warning = "The animation is broken; the frames before were converted." if frames.broken else ""
    return _encoded(making, frames.timing, warning)


def _encoded(making: _Making, timing: Timing, lost: str) -> Converted:
    plan, size = making.plan, making.pictures[0].size
    data, warning = encode(making.pictures, timing, plan.output, plan.target)
    making.pictures.clear()
    return Converted(data, plan.output, size, 0.0, " ".join(filter(None, (lost, warning))))


def _timed(making: _Making) -> Converted | Failed:
    """Return the result of an output, with the time that it took."""
    if isinstance(making.result, Converted):
        return making.result._replace(seconds=making.seconds)
    return making.result or Failed("The output could not be made.")
