"""Ten conversions that represent what shops and mail suites ask for: ``python -m bench.representative``.

Reads names of conversions from the standard input, a line each, carries out each one and answers with a line.
"""

import io
import sys
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from PIL import Image

from bench.photographs import photograph
from imageconverter.engine import Target
from imageconverter.engine.output_types import Converted
from imageconverter.engine.pipeline import convert
from imageconverter.engine.target import OutputType

_SHOP: Final = (1600, 1024, 800, 200)
_SEED: Final = 7


class Conversion(NamedTuple):
    """A source, and what is made of it."""

    source: Callable[[], bytes]
    targets: list[Target]


def _targets(*sides: int, output: OutputType = "jpeg", **options: Any) -> list[Target]:
    return [Target(max_width=side, max_height=side, output=output, **options) for side in sides]


def _saved(width: int, height: int, file_type: str, **options: Any) -> Callable[[], bytes]:
    """Return what makes a file of *file_type* from a photograph."""

    def make() -> bytes:
        file = io.BytesIO()
        with Image.open(io.BytesIO(photograph(width, height, _SEED))) as image:
            image.convert(options.pop("mode", image.mode)).save(file, file_type, **options)
        return file.getvalue()

    return make


def _animation() -> bytes:
    first, *others = (Image.open(io.BytesIO(photograph(320, 240, seed))).quantize(64) for seed in range(6))
    file = io.BytesIO()
    first.save(file, "GIF", save_all=True, append_images=others, duration=80, loop=0)
    return file.getvalue()


CONVERSIONS: Final[dict[str, Conversion]] = {
    "JPEG of 2 MP to the four sizes of a shop": Conversion(lambda: photograph(1633, 1225, _SEED), _targets(*_SHOP)),
    "JPEG of 12 MP to the four sizes of a shop": Conversion(lambda: photograph(4000, 3000, _SEED), _targets(*_SHOP)),
    "JPEG of 12 MP to a thumbnail": Conversion(lambda: photograph(4000, 3000, _SEED), _targets(200)),
    "JPEG to an area of 200 x 150, cropped by entropy": Conversion(
        lambda: photograph(1633, 1225, _SEED),
        [Target(max_width=200, max_height=150, fit="cover", focus="entropy", output="jpeg")],
    ),
    "JPEG to WebP": Conversion(lambda: photograph(1633, 1225, _SEED), _targets(800, output="webp")),
    "JPEG to AVIF": Conversion(lambda: photograph(800, 600, _SEED), _targets(400, output="avif")),
    "progressive JPEG to JPEG": Conversion(_saved(1633, 1225, "JPEG", progressive=True), _targets(800, 200)),
    "PNG with transparency to PNG": Conversion(
        _saved(800, 600, "PNG", mode="RGBA", compress_level=1), _targets(400, output="png")
    ),
    "WebP to JPEG": Conversion(_saved(1633, 1225, "WEBP", quality=80), _targets(800, 200)),
    "animated GIF to a smaller one": Conversion(_animation, _targets(160, output="gif")),
}


def main() -> None:
    """Carry out the conversions that are asked for, each once before without an answer."""
    sources: dict[str, bytes] = {}
    for line in sys.stdin:
        name = line.strip()
        conversion = CONVERSIONS[name]
        if name not in sources:
            sources[name] = conversion.source()
        results = convert(io.BytesIO(sources[name]), conversion.targets)
        print(all(isinstance(each, Converted) for each in results), flush=True)


if __name__ == "__main__":
    main()
