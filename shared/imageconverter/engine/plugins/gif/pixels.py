"""The pixels of one frame of a GIF, from LZW codes."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from imageconverter.engine.gif import CutOffError, GifFrame

_MAX_PIXELS_A_BYTE = 4096  # a code of 9 bits or more stands for fewer
_NOTHING = (255, 254)
_MAX_MISSING = 0.5


@dataclass(frozen=True)
class GifPixels:
    """A decoded frame."""

    image: Image.Image
    """Mode P, without a palette."""
    missing: float = 0.0
    """The share of the rows that were missing."""
    height: int | None = None
    """How many rows are to be shown, if not all are."""


def decode(frame: GifFrame) -> GifPixels:
    """Decode a *frame* as far as its codes go. Raises CutOffError if they cannot be half of it."""
    width, height = frame.size
    if not width or not height:
        return GifPixels(Image.new("P", frame.size))
    if width * height * _MAX_MISSING > len(frame.data) * _MAX_PIXELS_A_BYTE:
        raise CutOffError("more than half of a frame is missing")
    # The decoder does not say how far it came. It writes whole rows in their stored order: if the last one still
    # has the value that the image began with, another value shows what was written.
    first, second = _NOTHING if frame.transparent != _NOTHING[0] else _NOTHING[::-1]
    image = _decoded(frame, first)
    last = _last_row(frame)
    if image.crop((0, last, width, last + 1)).getextrema() != (first, first):
        return GifPixels(image)
    present = (np.asarray(image) == np.asarray(_decoded(frame, second))).all(axis=1)
    rows = int(present.sum())
    if rows == height:
        return GifPixels(image)
    if frame.interlaced and rows:
        return GifPixels(_with_rows_above(image, present), 1 - rows / height)
    return GifPixels(image, 1 - rows / height, rows)


def _decoded(frame: GifFrame, nothing: int) -> Image.Image:
    image = Image.new("P", frame.size, nothing)
    with suppress(ValueError):  # which every frame raises that has no more codes than its rows need
        image.frombytes(_whole_blocks(frame), "gif", (frame.code_bits, int(frame.interlaced), -1))
    return image


def _whole_blocks(frame: GifFrame) -> bytes:
    """Return the codes; a last block that is cut off is shortened to what there is of it."""
    if frame.is_complete:
        return bytes(frame.data)
    at = 0
    data = bytearray(frame.data)
    while at < len(data):
        if at + data[at] >= len(data):
            data[at] = len(data) - at - 1
        at += data[at] + 1
    return bytes(data)


def _last_row(frame: GifFrame) -> int:
    """Return which row is stored last."""
    height = frame.size[1]
    if not frame.interlaced or height == 1:
        return height - 1
    return (height - 2) // 2 * 2 + 1


def _with_rows_above(image: Image.Image, present: np.ndarray[Any, np.dtype[np.bool_]]) -> Image.Image:
    """Fill missing rows with the next one above that is there, as an interlaced image appears step by step."""
    source = np.maximum.accumulate(np.where(present, np.arange(len(present)), 0))
    return Image.fromarray(np.asarray(image)[source]).convert("P")
