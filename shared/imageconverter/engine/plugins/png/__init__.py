"""PNG and its animations: Pillow refuses images for faults in other parts of a file, and composes frames wrongly."""

from imageconverter.engine.plugins.png.image import FORMAT, PngImage

__all__ = ["FORMAT", "PngImage"]
