"""The faces of FIG texts, approximated with one font: width, bold, slanted."""

from dataclasses import dataclass

_MIN_RATIO, _MAX_RATIO = 0.8, 1.25  # of plausible lengths to usual ones


@dataclass(frozen=True)
class Face:
    """How to change the letters of the default font to resemble another one."""

    stretch: float
    """Average width of its letters relative to the default font."""
    is_bold: bool = False
    is_slanted: bool = False

    def stretch_to(self, length: float, natural: float) -> float:
        """Return the factor by which a text of the *natural* length is widened to the *length* in the file.

        If that is not plausible, because the writer had another font, return the usual factor of the face.
        """
        usual = natural * self.stretch
        is_plausible = usual > 0 and _MIN_RATIO <= length / usual <= _MAX_RATIO
        return length / natural if is_plausible else self.stretch


_FAMILIES = (0.92, 1.07, 1.12, 1.28, 1.0, 0.82, 1.05, 1.0)
"""Stretches of the PostScript fonts 0 to 31, in groups of upright, slanted, bold, and both: Times, AvantGarde,
Bookman, Courier, Helvetica, Helvetica Narrow, New Century Schoolbook, Palatino; measured with URW's fonts."""
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
