"""From one source to all of its outputs: decoded once, the larger outputs first, the smaller from them."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO

from PIL import Image

from imageconverter.engine import steps
from imageconverter.engine.animation import Frames, Timing
from imageconverter.engine.decode import DECODER_ERRORS, load, open_picture
from imageconverter.engine.encode import encode
from imageconverter.engine.geometry import place
from imageconverter.engine.limits import Limits
from imageconverter.engine.output import OUTPUT_FORMATS, Converted, Failed
from imageconverter.engine.resize import resize
from imageconverter.engine.steps import Plan
from imageconverter.engine.target import Target
from imageconverter.errors import PictureError, PictureTooLarge

Step = Callable[[Image.Image, Plan], Image.Image]

# A decoded picture becomes an upright frame in sRGB …
DEVELOP: tuple[Step, ...] = (steps.eight_bits, steps.reduce, steps.orient, steps.to_srgb, steps.strip)
# … and a frame becomes an output.
FINISH: tuple[Step, ...] = (steps.crop, steps.pad, steps.flatten)

# A frame serves as source for a smaller one from this ratio on; a smaller Lanczos step would blur.
_LEAST_REDUCTION = 1.25


@dataclass
class _Making:
    """An output that is being made."""

    plan: Plan
    moving: bool
    """Whether it gets all frames of an animation."""
    seconds: float = 0.0
    pictures: list[Image.Image] = field(default_factory=list)
    failed: str = ""

    @property
    def area(self) -> int:
        """Of its frame, in pixels."""
        width, height = self.plan.placement.frame
        return width * height


def convert(source: IO[bytes], targets: Sequence[Target], limits: Limits | None = None) -> list[Converted | Failed]:
    """Convert the picture in *source* (a seekable file) to all *targets*; results are in their order.

    Raises PictureError where the source itself cannot be read.
    """
    began = time.perf_counter()
    limits = limits or Limits()
    image, info = open_picture(source, limits)
    with image:
        profile = image.info.get("icc_profile")
        places = [place(info.size, target) for target in targets]
        at_least = max((p.frame[0] for p in places), default=1), max((p.frame[1] for p in places), default=1)
        region = load(image, info, at_least=at_least)
        makings = []
        for target, placement in zip(targets, places, strict=True):
            output = info.format.kept_as if target.output == "keep" else target.output
            known = profile if isinstance(profile, bytes) else None
            plan = Plan(info, known, region, target, placement, output)
            makings.append(_Making(plan, info.animated and target.animation and OUTPUT_FORMATS[output].animation))
        largest_first = sorted(makings, key=lambda making: making.area, reverse=True)
        frames = Frames(image, limits) if any(making.moving for making in makings) else None
        if makings:
            largest_first[0].seconds = time.perf_counter() - began
        for number, frame in enumerate(frames or [image]):
            developed: list[Image.Image] = []
            for making in largest_first:
                if number == 0 or making.moving:
                    with _attempt(making):
                        _check_output(making.plan, number + 1, limits)
                        making.pictures.append(_picture(frame, making.plan, developed))
    return [_encoded(making, frames) for making in makings]


@contextmanager
def _attempt(making: _Making) -> Iterator[None]:
    """Note what goes wrong with one output, and how long it took."""
    began = time.perf_counter()
    try:
        yield
    except PictureError as error:
        making.failed = error.reason
    except MemoryError:
        making.failed = PictureTooLarge("The output needs more memory than is allowed.").reason
    except DECODER_ERRORS as error:
        making.failed = f"The output could not be made: {error}"
    making.seconds += time.perf_counter() - began


def _check_output(plan: Plan, frames: int, limits: Limits) -> None:
    """Refuse what enlarging would blow up: cover makes a line of one pixel by 10,000 as wide as its box."""
    area = max(width * height for width, height in (plan.placement.frame, plan.placement.canvas))
    if area * frames > limits.pixels:
        raise PictureTooLarge(f"The output would have more than {limits.pixels / 1e6:g} megapixels.")


def _picture(decoded: Image.Image, plan: Plan, developed: list[Image.Image]) -> Image.Image:
    """Make one output's picture; *developed* are the frames so far, the largest first, and gets one more."""
    image = _frame(decoded, plan, developed)
    for step in FINISH:
        image = step(image, plan)
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


def _encoded(making: _Making, frames: Frames | None) -> Converted | Failed:
    """Encode what was made, as an animation where it is one."""
    pictures, timing, warnings = making.pictures, Timing(), []
    if making.moving and frames is not None:
        timing = frames.timing
        if frames.too_many:
            pictures = pictures[:1]
            warnings.append("The animation has too many frames; only the first one was converted.")
        elif frames.broken:
            warnings.append("The animation is broken; the frames before were converted.")
    elif making.plan.info.animated:
        warnings.append("Only the first frame of the animation was converted.")
    data, warning = b"", ""
    if not making.failed:
        with _attempt(making):
            data, warning = encode(pictures, timing, making.plan.output, making.plan.target)
    if making.failed:
        return Failed(making.failed)
    warning = " ".join(filter(None, [*warnings, warning]))
    return Converted(data, making.plan.output, pictures[0].size, making.seconds, warning)
