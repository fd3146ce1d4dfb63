"""The metadata of an image as the ImageConverter API gives it out: named tags in groups, with value and words."""

from imageconverter.engine.metadata.reading import Entry, Metadata, read_metadata

__all__ = ["Entry", "Metadata", "read_metadata"]
