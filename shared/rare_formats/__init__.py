"""Plugins for Pillow that read rare file types. Importing this package, or one of its modules, registers them."""

from rare_formats import fits, gksm, niff, pm, xcf, xfig, xpm

__all__ = ["fits", "gksm", "niff", "pm", "xcf", "xfig", "xpm"]
