"""WebP: Pillow loses files that are cut off, and the alpha channel of lossless images that do not announce it."""

from imageconverter.engine.plugins.webp.image import FORMAT, WebpImage

__all__ = ["FORMAT", "WebpImage"]
