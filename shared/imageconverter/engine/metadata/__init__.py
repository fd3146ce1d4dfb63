"""The metadata of an image as the ImageConverter API returns it: named tags in groups, with value and description."""

from imageconverter.engine.metadata.reading import Entry, Metadata, read_metadata

__all__ = ["Entry", "Metadata", "read_metadata"]
