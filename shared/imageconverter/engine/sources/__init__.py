"""Readers of our own for the formats that Pillow lacks or reads wrongly: one Pillow plugin a format.

Importing a module registers its plugin.
"""

from imageconverter.engine.sources import fits, gksm, niff, pm, xcf, xfig, xpm

__all__ = ["fits", "gksm", "niff", "pm", "xcf", "xfig", "xpm"]
