"""Bytes of images that are converted at their own size and in their own type, compared with their sources.

Without arguments 200 generated files; with OWN_SIZE=DIR in the environment those of a folder.
"""

import io
import os
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from PIL import Image, ImageSequence

from bench.photographs import photograph
from imageconverter.engine import Converted, Target, identify
from imageconverter.engine.decoder_errors import DECODER_ERRORS
from imageconverter.engine.pipeline import convert
from imageconverter.engine.source_types import HEAD_BYTES
from imageconverter.errors import ImageError

FILES = 200
_TYPES = ("JPEG", "PNG", "WebP", "GIF")
_TARGET = Target(max_width=16_384, max_height=16_384)
_SIZE = (800, 600)


@dataclass
class _Sum:
    files: int = 0
    sources: int = 0
    outputs: int = 0
    seconds: float = 0.0
    equal: int = 0
    """Files with the very pixels of their source."""


def main() -> None:
    """Convert the files and print the sums by type."""
    folder = os.environ.get("OWN_SIZE", "")
    files = _stored(Path(folder)) if folder else _generated()
    sums: dict[str, _Sum] = defaultdict(_Sum)
    for data in files:
        kind = identify(data[:HEAD_BYTES])
        if kind is None or kind.name not in _TYPES:
            continue
        began = time.process_time()
        try:
            made = convert(io.BytesIO(data), [_TARGET])[0]
        except ImageError:
            continue
        if isinstance(made, Converted) and not made.warning:
            for each in (sums[kind.name], sums["all"]):
                each.files += 1
                each.sources += len(data)
                each.outputs += len(made.data)
                each.seconds += time.process_time() - began
                each.equal += _pixels(data) == _pixels(made.data)
        if sums["all"].files == FILES:
            break
    print("type    files   sources   outputs  share  equal pixels  CPU s")
    for name, each in sums.items():
        share = each.outputs / max(1, each.sources)
        print(f"{name:6}  {each.files:5}  {each.sources:8}  {each.outputs:8}  {share:5.2f}", end="")
        print(f"  {each.equal:12}  {each.seconds:5.1f}")


def _pixels(data: bytes) -> list[bytes] | None:
    try:
        with Image.open(io.BytesIO(data)) as image:
            return [frame.convert("RGBA").tobytes() for frame in ImageSequence.Iterator(image)]
    except DECODER_ERRORS:
        return None


def _stored(folder: Path) -> Iterator[bytes]:
    return (path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def _generated() -> Iterator[bytes]:
    """Yield photographs as all types, with metadata, in turn coded finely and coarsely."""
    qualities = (25, 50, 75, 82, 90, 98)
    with Image.open(io.BytesIO(photograph(*_SIZE, 1))) as opened:
        large = opened.copy()
    makers = cycle(_TYPES)
    for number, kind in islice(enumerate(makers), FILES):
        left = 7 * number % (_SIZE[0] // 2)
        image = large.crop((left, 0, left + _SIZE[0] // 2, _SIZE[1] // 2))
        options: dict[str, Any] = {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0" + bytes(2000)}
        if kind in ("JPEG", "WebP"):
            options |= {"quality": qualities[number // len(_TYPES) % len(qualities)]}
        elif number % 3:
            image = image.quantize(64)
        yield _saved(image, kind, options if kind != "GIF" else {"comment": bytes(200)})


def _saved(image: Image.Image, kind: str, options: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()
