"""GIF, composed as browsers do: Pillow paints what a file leaves uncovered, and loses a file that is cut off."""

from imageconverter.engine.plugins.gif.image import FORMAT, GifImage

__all__ = ["FORMAT", "GifImage"]
