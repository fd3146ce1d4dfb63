"""Samples of more than 8 bits in a color space in which 8 bits would show steps: they are converted before.

That is high dynamic range, which becomes sRGB, and linear light, which gets sRGB's curve; its primaries remain.
"""

from dataclasses import dataclass, replace

import numpy as np

from imageconverter.engine.color import SourceColor
from imageconverter.engine.color.tone_mapping import HighDynamicRange, levels_of
from imageconverter.engine.plugins.decoded import Levels, Samples, mapped, to_levels
from imageconverter.engine.plugins.linear import levels_of_light, with_srgb_curve

MAX_PIXELS = 32_000_000
"""Of larger images the samples would take too much memory beside the levels: they are converted as 8 bits."""
_WITH_ALPHA = (2, 4)  # channels


@dataclass(frozen=True)
class DeepColor:
    """What to do with samples, and what is left to do with the levels that they become."""

    left: SourceColor
    high_dynamic_range: HighDynamicRange | None = None
    """None for linear light."""

    def levels(self, samples: Samples, maximum: int) -> Levels:
        """Convert *samples* from 0 to *maximum*, as rows of pixels; the last of two or four channels is alpha."""
        if self.high_dynamic_range is not None:
            return levels_of(samples, maximum, self.high_dynamic_range)
        table = levels_of_light(np.arange(np.iinfo(samples.dtype).max + 1) / maximum)
        levels = mapped(samples, table)
        if samples.ndim > 2 and samples.shape[2] in _WITH_ALPHA:  # noqa: PLR2004 - several channels
            levels[..., -1] = to_levels(samples[..., -1], maximum)
        return levels


def deep_color(color: SourceColor, size: tuple[int, int]) -> DeepColor | None:
    """Return how to convert samples of *color* in an image of *size*; None if they may become 8 bits first."""
    if size[0] * size[1] > MAX_PIXELS:
        return None
    if color.high_dynamic_range is not None:
        return DeepColor(SourceColor(), color.high_dynamic_range)
    curved = with_srgb_curve(color.profile)
    return DeepColor(replace(color, profile=curved)) if curved != color.profile else None
