"""Readers of our own for the formats that Pillow lacks or reads wrongly: one Pillow plugin a format.

Importing a module registers its plugin.
"""

from rare_formats import fits, gksm, niff, pm, xcf, xfig, xpm

__all__ = ["fits", "gksm", "niff", "pm", "xcf", "xfig", "xpm"]
