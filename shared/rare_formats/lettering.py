"""Lettering: texts as masks, in Pillow's default font."""

import math
import unicodedata
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Literal

from PIL import Image, ImageDraw, ImageFont

from rare_formats.strokes import Color

Alignment = Literal["left", "center", "right"]
Rise = Literal["baseline", "bottom", "half", "cap", "top"]

CAP_HEIGHT = 0.69
"""Height of the capital letters above the baseline, for a type size of 1."""
DESCENT = 0.21
"""Depth of letters below the baseline, for a type size of 1."""

RISES: dict[Rise, float] = {
    "baseline": 0.0,
    "bottom": -DESCENT,
    "half": CAP_HEIGHT / 2,
    "cap": CAP_HEIGHT,
    "top": 0.95,
}
"""Heights above the baseline at which a text can be anchored."""
ALIGNMENTS: dict[Alignment, float] = {"left": 0.0, "center": 0.5, "right": 1.0}
"""Shares of a text's length at which it can be anchored."""

_MAX_CHARACTERS = 1_000  # characters of a text
_MEASURED_SIZE = 100.0
# The font has little more than ASCII. These replace letters of Latin 1 that are not a letter with a mark …
_REPLACED = str.maketrans({
    "ß": "ss", "Æ": "AE", "æ": "ae", "Ø": "O", "ø": "o", "Ð": "D", "ð": "d", "Þ": "Th", "þ": "th", "×": "x", "÷": ":",  # noqa: RUF001 -- meant
    "¡": "!", "¿": "?", "¢": "c", "£": "L", "¥": "Y", "¤": "o", "¦": "|", "§": "S", "¶": "P", "¬": "-", "\xad": "-",
    "®": "(R)", "\u03bc": "u", "\u2044": "/", "‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-",  # noqa: RUF001 -- meant
})  # fmt: skip
_EXTRA_GLYPHS = "©«°±\u00b4·»"
# … and these are drawn above a letter (the last one below it) for the combining marks.
_MARKS = {
    "\u0300": "`",
    "\u0301": "\u00b4",
    "\u0302": "^",
    "\u0303": "~",
    "\u0308": "..",
    "\u030a": "°",
    "\u0327": ",",
}
_MARK_BOTTOMS = {"`": 0.59, "\u00b4": 0.59, "^": 0.11, "~": 0.23, "..": 0.0, "°": 0.47}  # of their ink


@dataclass(frozen=True)
class Lettering:
    """How a text is set; lengths in pixels of the finished image."""

    color: Color = (0, 0, 0)
    size: float = 12.0
    """Type size; a capital is `CAP_HEIGHT` of it high."""
    angle: float = 0.0
    """Rotation of the baseline in radians, counterclockwise."""
    align: Alignment = "left"
    rise: Rise = "baseline"
    """The height of the text that is at its position; `half` is half of a capital."""
    stretch: float = 1.0
    """Factor of the letters' widths."""
    slant: float = 0.0
    """Tangent of the letters' inclination to the right."""
    bold: bool = False


def text_length(text: str, size: float) -> float:
    """Return the length of *text* at a type size of *size*, in the same unit."""
    letters, _ = _spelled(text)
    return _measuring_font().getlength(letters) * size / _MEASURED_SIZE


def text_mask(text: str, size: float, *, bold: bool = False) -> tuple[Image.Image, tuple[int, int], float]:
    """Return a text of *size* pixels as a mask, the start of its baseline within the mask, and its length."""
    letters, marks = _spelled(text)
    font = ImageFont.load_default(size)
    length = font.getlength(letters)
    margin, baseline = math.ceil(size / 4), math.ceil(size)
    mask = Image.new("L", (math.ceil(length) + 2 * margin, math.ceil(size * 1.4)))
    draw = ImageDraw.Draw(mask)
    weight = size / 50 if bold else 0
    draw.text((margin, baseline), letters, fill=255, font=font, anchor="ls", stroke_width=weight)
    starts = list(accumulate((font.getlength(each) for each in letters), initial=0.0)) if marks else []
    for index, mark in marks:
        base = font.getbbox(letters[index], anchor="ls")
        mark_font = ImageFont.load_default(size / 2) if mark == "^" else font  # the font's own is a mathematical sign
        left, _, right, _ = mark_font.getbbox(mark, anchor="ls")
        x = starts[index] * length / starts[-1] + (base[0] + base[2] - left - right) / 2
        y = base[1] + size * (_MARK_BOTTOMS[mark] - 0.05) if mark in _MARK_BOTTOMS else size * 0.12
        draw.text((margin + x, baseline + y), mark, fill=255, font=mark_font, anchor="ls", stroke_width=weight)
    return mask, (margin, baseline), length


@cache
def _measuring_font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(_MEASURED_SIZE)


def _spelled(text: str) -> tuple[str, list[tuple[int, str]]]:
    """Return letters of the font for *text*, and the marks by index of their letter."""
    letters: list[str] = []
    marks = []
    for each in unicodedata.normalize("NFKD", text[:_MAX_CHARACTERS]).translate(_REPLACED):
        if each in _MARKS:
            if letters:
                marks.append((len(letters) - 1, _MARKS[each]))
        elif " " <= each <= "~" or each in _EXTRA_GLYPHS:
            letters.append(each)
        else:
            letters.append("?" if each.isprintable() else " ")
    return "".join(letters), marks
