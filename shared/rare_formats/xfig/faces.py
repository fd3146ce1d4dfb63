"""The faces of FIG texts, as far as one font can show them: how wide, whether bold, whether slanted."""

from dataclasses import dataclass

_MIN_RATIO, _MAX_RATIO = 0.8, 1.25  # of plausible lengths, in usual ones


@dataclass(frozen=True)
class Face:
    """How the letters of the one font are changed to resemble another."""

    stretch: float
    """How wide its letters are compared to those of the one font, on the average."""
    is_bold: bool = False
    is_slanted: bool = False

    def stretch_to(self, length: float, natural: float) -> float:
        """Return by how much letters of the *natural* length are widened for the *length* that a file gives.

        Where that is not plausible, because the writer had another font, it is what is usual for the face.
        """
        usual = natural * self.stretch
        is_plausible = usual > 0 and _MIN_RATIO <= length / usual <= _MAX_RATIO
        return length / natural if is_plausible else self.stretch


_FAMILIES = (0.92, 1.07, 1.12, 1.28, 1.0, 0.82, 1.05, 1.0)
"""Stretches of the PostScript fonts 0 to 31, by fours that are upright, slanted, bold, and both: Times, AvantGarde,
Bookman, Courier, Helvetica, Helvetica Narrow, New Century Schoolbook, Palatino; measured on the fonts of URW."""
_BOLD_STRETCH = 1.06
_CHANCERY = 33
_OTHER_STRETCH = 0.8

_LATEX_FONTS = (0, 0, 2, 1, 16, 12)
"""Default, Roman, bold, italic, sans serif and typewriter, as PostScript fonts."""


def latex_face(font: int) -> Face:
    """Return the face of a LaTeX font."""
    return postscript_face(_LATEX_FONTS[font] if 0 <= font < len(_LATEX_FONTS) else 0)


def postscript_face(font: int) -> Face:
    """Return the face of a PostScript font; Times for the default."""
    family, style = divmod(max(font, 0), 4)
    if family >= len(_FAMILIES):
        return Face(_OTHER_STRETCH, is_slanted=font == _CHANCERY)
    is_bold = style in (2, 3)
    return Face(_FAMILIES[family] * (_BOLD_STRETCH if is_bold else 1), is_bold=is_bold, is_slanted=style in (1, 3))
