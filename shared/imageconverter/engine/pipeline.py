"""From one source to all of its outputs: decoded once, the larger outputs first, the smaller from them."""

import time
from collections.abc import Callable, Sequence
from typing import IO, NamedTuple

from PIL import Image

from imageconverter.engine import steps
from imageconverter.engine.decode import DECODER_ERRORS, load, open_picture
from imageconverter.engine.encode import encode
from imageconverter.engine.geometry import Size, place
from imageconverter.engine.limits import Limits
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


class Converted(NamedTuple):
    """One output that was made."""

    data: bytes
    output: OutputType
    size: Size
    seconds: float
    warning: str
    """What was lost, or ""."""


class Failed(NamedTuple):
    """One output that could not be made, and why."""

    reason: str


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
        frames = [placement.frame for placement in places]
        at_least = max((w for w, _ in frames), default=1), max((h for _, h in frames), default=1)
        region = load(image, info, at_least=at_least)
        plans = [
            Plan(
                info,
                profile if isinstance(profile, bytes) else None,
                region,
                target,
                placement,
                info.format.kept_as if target.output == "keep" else target.output,
            )
            for target, placement in zip(targets, places, strict=True)
        ]
        warning = "Only the first frame of the animation was converted." if info.animated else ""
        results: dict[int, Converted | Failed] = {}
        developed: list[Image.Image] = []
        for index in sorted(range(len(plans)), key=lambda i: frames[i][0] * frames[i][1], reverse=True):
            try:
                _check_output(plans[index], limits)
                results[index] = _finish(_frame(image, plans[index], developed), plans[index], began, warning)
            except PictureError as error:
                results[index] = Failed(error.reason)
            except MemoryError:
                results[index] = Failed(PictureTooLarge("The output needs more memory than is allowed.").reason)
            except DECODER_ERRORS as error:
                results[index] = Failed(f"The output could not be made: {error}")
            began = time.perf_counter()
    return [results[index] for index in range(len(plans))]


def _check_output(plan: Plan, limits: Limits) -> None:
    """Refuse what enlarging would blow up: cover makes a line of one pixel by 10,000 as wide as its box."""
    if max(width * height for width, height in (plan.placement.frame, plan.placement.canvas)) > limits.pixels:
        raise PictureTooLarge(f"The output would have more than {limits.pixels / 1e6:g} megapixels.")


def _frame(decoded: Image.Image, plan: Plan, developed: list[Image.Image]) -> Image.Image:
    """Make the whole picture at the plan's scale, from the smallest frame so far that is large enough."""
    width, height = plan.placement.frame
    for parent in reversed(developed):
        if parent.size == (width, height):
            return parent
        if min(parent.width / width, parent.height / height) >= _LEAST_REDUCTION:
            frame = steps.resize(parent, (width, height))
            break
    else:
        frame = decoded
        for step in DEVELOP:
            frame = step(frame, plan)
    developed.append(frame)
    return frame


def _finish(frame: Image.Image, plan: Plan, began: float, warning: str) -> Converted:
    for step in FINISH:
        frame = step(frame, plan)
    data = encode(frame, plan.output, quality=plan.target.quality)
    return Converted(data, plan.output, frame.size, time.perf_counter() - began, warning)
