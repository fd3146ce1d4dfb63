"""Bytes of each format and encoder at equal scores of SSIMULACRA2, and what `quality = "auto"` makes of them."""

import io
import time
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from scipy.stats import spearmanr
from ssimulacra2 import compute_ssimulacra2

from bench.corpus import photographs
from imageconverter.engine import OutputType, Target
from imageconverter.engine.animation import Timing
from imageconverter.engine.encode import encode
from imageconverter.engine.score import Encoder, Reference

IMAGES, LONG = 12, 60
_SIDE = 640  # pixels; SSIMULACRA2 in Python takes seconds for a megapixel
_SCORES = (70, 80, 90)


class Setting(NamedTuple):
    """A format, its encoder, and qualities from bad to good."""

    output: OutputType
    qualities: Sequence[int]
    options: Mapping[str, Any] = {}


SETTINGS: Mapping[Encoder, Setting] = {
    "libjpeg": Setting("jpeg", (50, 65, 75, 82, 90, 96)),
    "jpegli": Setting("jpeg", (50, 65, 75, 82, 90, 96), {"encoder": "small"}),
    "webp": Setting("webp", (50, 70, 82, 90, 96, 100)),
    "avif": Setting("avif", (45, 60, 75, 85, 92)),
}


class Made(NamedTuple):
    """A file of an encoder."""

    bytes: int
    score: float
    """By SSIMULACRA2."""
    estimate: float
    """By the engine."""
    seconds: float


def main() -> None:
    """Compare a few images."""
    _compare(IMAGES)


def long() -> None:
    """Compare all images that there are."""
    _compare(LONG)


def _compare(count: int) -> None:
    made: dict[tuple[Encoder, int | str], list[Made]] = {}
    pixels = images = 0
    for _, image in islice(photographs(_SIDE), count):
        images, pixels = images + 1, pixels + image.width * image.height
        for encoder, setting in SETTINGS.items():
            qualities: tuple[int | str, ...] = (*setting.qualities, "auto")
            for quality in qualities:
                made.setdefault((encoder, quality), []).append(make(image, encoder, setting, quality))
    print(f"\n== bytes: {images} photographs of at most {_SIDE} pixels, {pixels / images / 1e6:.2f} megapixels each")
    print("\nencoder  quality  kB/megapixel  score: median (10 % to 90 %)  ms/megapixel")
    for (encoder, quality), files in made.items():
        low, median, high = np.percentile([each.score for each in files], (10, 50, 90))
        size, seconds = sum(each.bytes for each in files), sum(each.seconds for each in files)
        print(
            f"{encoder:8} {quality:>7} {size / pixels * 1e3:13.0f} {median:14.1f} ({low:.1f} to {high:.1f})"
            f" {seconds / pixels * 1e9:15.0f}"
        )
    _print_ratios(made)
    every = [each for files in made.values() for each in files]
    agreement = spearmanr([each.estimate for each in every], [each.score for each in every]).statistic
    print(f"\nrank correlation of the engine's score with SSIMULACRA2, {len(every)} files: {agreement:.3f}")


def make(image: Image.Image, encoder: Encoder, setting: Setting, quality: int | str) -> Made:
    """Return what *encoder* makes of *image*, and its scores."""
    target = Target(
        max_width=None, max_height=None, **{"output": setting.output, "quality": quality, **setting.options}
    )
    began = time.process_time()
    data, _ = encode([image], Timing(), setting.output, target)
    seconds = time.process_time() - began
    original = io.BytesIO()
    image.save(original, "PNG", compress_level=1)
    score = compute_ssimulacra2(original, io.BytesIO(data))
    return Made(len(data), score, Reference(image).score(data, encoder), seconds)


def _print_ratios(made: Mapping[tuple[Encoder, int | str], Sequence[Made]]) -> None:
    """Print the bytes at equal scores; between two qualities they are interpolated."""
    print("\nbytes at equal scores compared with libjpeg: median (images), share of images in which they are more")
    for encoder in SETTINGS:
        columns = []
        for score in _SCORES:
            sizes, standard = (
                sizes_at(score, [[each[:2] for each in made[name, quality]] for quality in SETTINGS[name].qualities])
                for name in (encoder, "libjpeg")
            )
            ratios = [a / b for a, b in zip(sizes, standard, strict=True) if a and b]
            if ratios:
                more = np.mean(np.array(ratios) > 1)
                columns.append(f"score {score}: {np.median(ratios):.2f} ({len(ratios)}), {more:.0%}")
        print(f"{encoder:8} {'   '.join(columns)}")


def sizes_at(score: float, by_quality: Sequence[Sequence[tuple[int, float]]]) -> list[float | None]:
    """Return the bytes of each image at *score*; None where no quality is below, or none above.

    *by_quality* has the bytes and the score of each image for each quality.
    """
    sizes: list[float | None] = []
    for files in zip(*by_quality, strict=True):
        points = sorted((value, float(np.log(size))) for size, value in files)
        scores, logs = zip(*points, strict=True)
        is_between = scores[0] <= score <= scores[-1]
        sizes.append(float(np.exp(np.interp(score, scores, logs))) if is_between else None)
    return sizes
