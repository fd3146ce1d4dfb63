"""The texts of a GKS metafile: letters along a path, with size and direction given by two vectors."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from rare_formats.canvas import Affine, Canvas
from rare_formats.gksm.drawables import LONG_SIDE, Drawable, moved
from rare_formats.lettering import ALIGNMENTS, CAP_HEIGHT, RISES, Lettering, text_length
from rare_formats.strokes import Color, Point

_MAX_LETTERS = 500  # that are drawn one by one
_RIGHT, _LEFT, _UP, _DOWN = range(4)
_HORIZONTAL: dict[int, Literal["left", "center", "right"]] = {1: "left", 2: "center", 3: "right"}
_VERTICAL: dict[int, Literal["baseline", "bottom", "half", "cap", "top"]] = {
    1: "top", 2: "cap", 3: "half", 4: "baseline", 5: "bottom",
}  # fmt: skip
_LEADING = 1.4  # from one baseline to the next in a column, in heights of a capital


@dataclass(frozen=True)
class Text(Drawable):
    """A text at a position."""

    position: Point
    text: str
    up: Point
    """From the baseline to the top of a capital."""
    base: Point
    """Along the baseline; of the length of *up* for letters of normal width."""
    path: int
    alignment: tuple[int, int]
    expansion: float
    spacing: float
    """Additional space between letters, in heights of a capital."""
    color: Color

    def draw(self, canvas: Canvas, place: Affine) -> None:
        """Draw it."""
        origin, *ends = moved(np.array([(0, 0), self.up, self.base]), place)
        (up_x, up_y), (base_x, base_y) = ((x - origin[0], y - origin[1]) for x, y in ends)
        length = math.hypot(base_x, base_y)
        height = abs(base_x * up_y - base_y * up_x) / length if length else 0.0  # of a capital, across the baseline
        if not height:
            return
        lettering = Lettering(
            self.color,
            size=height * LONG_SIDE / CAP_HEIGHT,
            angle=math.atan2(base_y, base_x),
            stretch=self.expansion * length / math.hypot(up_x, up_y),
            slant=(base_x * up_x + base_y * up_y) / length / height,
        )
        x, y = moved(np.array([self.position]), place)[0]
        for (along, rise), text, piece in self._pieces(lettering):
            along_x, along_y = along / length / LONG_SIDE * base_x, along / length / LONG_SIDE * base_y
            rise_x, rise_y = -rise / length / LONG_SIDE * base_y, rise / length / LONG_SIDE * base_x
            canvas.text((x + along_x + rise_x, y + along_y + rise_y), text, piece)

    def _pieces(self, lettering: Lettering) -> Iterator[tuple[Point, str, Lettering]]:
        """Yield pieces of text and their offsets from the position, along the baseline and above it, in pixels."""
        horizontal, vertical = self.alignment
        if self.path in (_UP, _DOWN):
            yield from self._column(lettering, horizontal, vertical)
            return
        text = self.text[::-1] if self.path == _LEFT else self.text
        align = _HORIZONTAL.get(horizontal, "right" if self.path == _LEFT else "left")
        rise = _VERTICAL.get(vertical, "baseline")
        if not self.spacing:
            yield (0.0, 0.0), text, replace(lettering, align=align, rise=rise)
            return
        gap = self.spacing * lettering.size * CAP_HEIGHT
        advances = [text_length(each, lettering.size) * lettering.stretch + gap for each in text[:_MAX_LETTERS]]
        at = -ALIGNMENTS[align] * (sum(advances) - gap)
        for letter, advance in zip(text, advances, strict=False):
            yield (at, 0.0), letter, replace(lettering, rise=rise)
            at += advance

    def _column(self, lettering: Lettering, horizontal: int, vertical: int) -> Iterator[tuple[Point, str, Lettering]]:
        """Yield the letters of a text whose path goes down or up."""
        letters = self.text[:_MAX_LETTERS] if self.path == _DOWN else self.text[_MAX_LETTERS - 1 :: -1]
        capital = lettering.size * CAP_HEIGHT
        step = (_LEADING + self.spacing) * capital
        rise = _VERTICAL.get(vertical, "cap" if self.path == _DOWN else "baseline")
        # The height of the column's anchor above the baseline of its lowest letter.
        held = {"half": ((len(letters) - 1) * step + capital) / 2, "cap": (len(letters) - 1) * step + capital}
        held["top"] = held["cap"] + (RISES["top"] - RISES["cap"]) * lettering.size
        held["bottom"] = RISES["bottom"] * lettering.size
        lowest = -held.get(rise, 0.0)
        piece = replace(lettering, align=_HORIZONTAL.get(horizontal, "center"))
        for index, letter in enumerate(letters):
            yield (0.0, lowest + (len(letters) - 1 - index) * step), letter, piece
