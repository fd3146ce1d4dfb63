"""The frames of an animation, one after the other, each a whole image."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from PIL import Image

from imageconverter.engine.decoder_errors import DECODER_ERRORS, raise_refusal
from imageconverter.engine.limits import Limits
from imageconverter.errors import Undecodable

_MIN_DURATION, _DEFAULT_DURATION, _MAX_DURATION = 11, 100, 655_350  # milliseconds; GIF cannot say more


@dataclass
class Timing:
    """When which frame is shown."""

    plays: int = 1
    """How often all of it is shown, 0 for ever."""
    milliseconds: list[int] = field(default_factory=list)
    """How long each frame is shown."""


class Frames:
    """The frames of an opened animation: iterate over it once, then ask what was lost.

    Raises Undecodable if a frame cannot be read and the limits do not allow images that are cut off.
    """

    def __init__(self, image: Image.Image, limits: Limits) -> None:
        """Prepare to read *image*, the first frame of which is loaded."""
        self.timing = Timing(_plays(image))
        self.too_many = False
        """Whether there were more than the limits allow; those within them were yielded."""
        self.broken = False
        """Whether frames could not be read; those before them were yielded."""
        self._image = image
        width, height = image.size
        self._max_frames = max(1, min(limits.frames, limits.pixels // (width * height)))
        self._truncated = limits.truncated
        self._announced = getattr(image, "n_frames", 1)  # so that none is decoded in vain

    def __iter__(self) -> Iterator[Image.Image]:
        """Yield frame after frame; the next one takes the place of the one before."""
        image, shown = self._image, self.timing.milliseconds
        while not self.too_many:
            try:
                image.seek(len(shown))
                image.load()
            except DECODER_ERRORS as error:
                raise_refusal(error)
                self._end(error)
                return
            else:
                self.too_many = max(len(shown) + 1, self._announced) > self._max_frames
                if not (shown and self.too_many):
                    shown.append(_milliseconds(image.info.get("duration")))
                    yield image

    @property
    def lost(self) -> str:
        """What was lost, in a sentence; empty if nothing was."""
        shown = len(self.timing.milliseconds)
        announced = max(self._announced, getattr(self._image, "declared_frames", 1))
        if self.too_many:
            return "The animation has too many frames; only the first one was converted."
        if shown < announced:
            return f"The animation is broken: {announced - shown} of {announced} frames are missing."
        return "The animation is cut off after its last whole frame." if self.broken else ""

    def _end(self, error: Exception) -> None:
        """Note why there is no further frame."""
        self.broken = not isinstance(error, EOFError) or len(self.timing.milliseconds) < self._announced
        if self.broken and not self._truncated:
            raise Undecodable(f"The animation is broken after frame {len(self.timing.milliseconds)}.") from error


def _plays(image: Image.Image) -> int:
    """Return how often the animation is shown, 0 for ever."""
    loop = image.info.get("loop")
    if not isinstance(loop, int):
        return 1
    return loop + 1 if image.format == "GIF" and loop else loop  # which counts the repetitions


def _milliseconds(duration: object) -> int:
    """Read how long a frame is shown as browsers do: hardly at all means a tenth of a second."""
    if isinstance(duration, int | float) and _MIN_DURATION <= duration <= _MAX_DURATION:
        return round(duration)
    return _DEFAULT_DURATION
