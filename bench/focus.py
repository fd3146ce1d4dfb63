"""How often the subject of a photograph stays in a crop, by focus, and what finding it costs.

python -m bench.focus
"""

import time
from collections.abc import Iterator
from typing import Literal

from PIL import Image

from bench.corpus import photographs
from imageconverter.engine import Target
from imageconverter.engine.attention import Attention
from imageconverter.engine.geometry import Box, place
from imageconverter.engine.target import FoundFocus

_SIDE = 800
_KEPT = 0.9  # of the area of a subject
_SHAPES = {"square": (300, 300), "half as wide as high": (200, 400), "three times as wide as high": (600, 200)}
_FOCUSES: tuple[FoundFocus, ...] = ("entropy", "saliency")
# Left, top, right and bottom in shares, as a person sees them.
_SUBJECTS = {
    "Aqua": (0.55, 0.40, 0.89, 0.85),  # the crown of a drop
    "Garden": (0.50, 0.20, 0.90, 0.60),  # the middle of a blossom
    "Kleiber": (0.42, 0.36, 0.54, 0.64),  # a bird on a trunk
    "LadyBird": (0.65, 0.44, 0.75, 0.59),
    "0B_by": (0.41, 0.36, 0.70, 0.73),  # a fig in a bowl
    "YellowFlower": (0.72, 0.63, 1.00, 1.00),  # the middle of a blossom
    "astronaut": (0.35, 0.10, 0.55, 0.37),  # a face
    "chelsea": (0.25, 0.25, 0.72, 0.88),  # eyes and nose of a cat
    "coffee": (0.28, 0.03, 0.72, 0.80),  # a cup
    "free_by": (0.25, 0.58, 0.66, 0.90),  # a bird of wood
    "friends": (0.28, 0.22, 0.70, 0.64),  # two dogs
    "greentock": (0.66, 0.33, 0.92, 0.67),  # the hands of a clock
    "rocket": (0.46, 0.28, 0.54, 1.00),
    "seeding": (0.13, 0.08, 0.45, 0.60),  # a dandelion
    "sunset": (0.40, 0.25, 0.62, 0.55),  # the sun
}


def main() -> None:
    """Print both for each focus."""
    subjects = list(_with_subjects())
    focuses: tuple[Literal["centre"] | FoundFocus, ...] = ("centre", *_FOCUSES)
    kept, seconds = dict.fromkeys(focuses, 0), dict.fromkeys(focuses, 0.0)
    for name, image, subject in subjects:
        for shape, (width, height) in _SHAPES.items():
            placement = place(image.size, Target(max_width=width, max_height=height, fit="crop"))
            frame = image.resize(placement.frame, Image.Resampling.LANCZOS)
            left, top, right, bottom = box = placement.crop
            for focus in focuses:
                began = time.process_time()
                if focus != "centre":
                    box = Attention(frame).crop(focus, frame, (right - left, bottom - top))
                seconds[focus] += time.process_time() - began
                is_kept = _inside(subject, frame, box) >= _KEPT
                kept[focus] += is_kept
                if not is_kept:
                    print(f"{name}, {shape}: lost by {focus}")
    crops = len(subjects) * len(_SHAPES)
    for focus in focuses:
        print(f"{focus}: {kept[focus]} of {crops} kept, {seconds[focus] / crops * 1000:.1f} ms each")


def _with_subjects() -> Iterator[tuple[str, Image.Image, tuple[float, float, float, float]]]:
    for name, image in photographs(_SIDE):
        for part, subject in _SUBJECTS.items():
            if part in name:
                yield name, image, subject


def _inside(subject: tuple[float, float, float, float], frame: Image.Image, box: Box) -> float:
    """Return the share of a *subject* that is inside a *box* of a *frame*; at most what could be."""
    shares = []
    for axis, whole in enumerate(frame.size):
        begin, end = subject[axis] * whole, subject[axis + 2] * whole
        possible = min(end - begin, box[axis + 2] - box[axis])
        shares.append(max(0, min(end, box[axis + 2]) - max(begin, box[axis])) / possible)
    return shares[0] * shares[1]


if __name__ == "__main__":
    main()
