"""The lowest quality at which an image looks as good as its target wants."""

from collections.abc import Callable, Mapping

from PIL import Image

from imageconverter.engine.score import Encoder, Reference

LOWEST, HIGHEST = 40, 95
# How near the lowest quality is approached, and how much better than wanted an image may look.
_STEPS: Mapping[Encoder, int] = {"libjpeg": 2, "jpegli": 2, "webp": 2, "avif": 4}  # an AVIF takes long
_MORE = 1.0


def find_quality(
    at_quality: Callable[[int], bytes], image: Image.Image, encoder: Encoder, wanted: float
) -> tuple[int, bytes]:
    """Return a quality from `LOWEST` to `HIGHEST`, and what *at_quality*, by the *encoder*, makes of *image* with it.

    It is the lowest one whose score is as *wanted*, as far as bisection finds it; the highest one if none is.
    """
    reference = Reference(image)
    too_low, enough = LOWEST - 1, HIGHEST
    best: bytes | None = None
    while enough - too_low > _STEPS[encoder]:
        quality = (enough + too_low) // 2
        made = at_quality(quality)
        score = reference.score(made, encoder)
        if score < wanted:
            too_low = quality
            continue
        enough, best = quality, made
        if score <= wanted + _MORE:
            break
    return enough, at_quality(enough) if best is None else best
