"""The frames of an animation, one after the other, each a whole image."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from PIL import Image

from imageconverter.engine.decoder_errors import DECODER_ERRORS, raise_refusal
from imageconverter.engine.limits import Limits

_MIN_DURATION, _DEFAULT_DURATION, _MAX_DURATION = 11, 100, 655_350  # milliseconds; GIF cannot say more


@dataclass
class Timing:
    """When which frame is shown."""

    loop: int | None = None
    """How often it is repeated, 0 for ever; None if it is shown once."""
    milliseconds: list[int] = field(default_factory=list)
    """How long each frame is shown."""


class Frames:
    """The frames of an opened animation: iterate over it once, then ask what was lost."""

    def __init__(self, image: Image.Image, limits: Limits) -> None:
        """Prepare to read *image*, the first frame of which is loaded."""
        loop = image.info.get("loop")
        self.timing = Timing(loop if isinstance(loop, int) else None)
        self.too_many = False
        """Whether there were more than the limits allow; those within them were yielded."""
        self.broken = False
        """Whether a frame could not be read; those before it were yielded."""
        self._image = image
        width, height = image.size
        self._max_frames = max(1, min(limits.frames, limits.pixels // (width * height)))
        # Before any is decoded in vain; of a GIF it would take reading all of them.
        self._announced = 0 if image.format == "GIF" else getattr(image, "n_frames", 1)

    def __iter__(self) -> Iterator[Image.Image]:
        """Yield frame after frame; the next one takes the place of the one before."""
        image, shown = self._image, self.timing.milliseconds
        while not (self.too_many or self.broken):
            try:
                image.seek(len(shown))
                image.load()
            except EOFError:
                return
            except DECODER_ERRORS as error:
                raise_refusal(error)
                self.broken = True
            else:
                self.too_many = max(len(shown) + 1, self._announced) > self._max_frames
                if not (shown and self.too_many):
                    shown.append(_milliseconds(image.info.get("duration")))
                    yield image


def _milliseconds(duration: object) -> int:
    """Read how long a frame is shown as browsers do: hardly at all means a tenth of a second."""
    if isinstance(duration, int | float) and _MIN_DURATION <= duration <= _MAX_DURATION:
        return round(duration)
    return _DEFAULT_DURATION
