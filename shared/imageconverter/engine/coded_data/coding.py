"""What is known of coded image data."""

from dataclasses import dataclass
from typing import Protocol

from imageconverter.engine.geometry import Size


@dataclass(frozen=True)
class Coding:
    """A file without metadata, and the properties of its coding that a target may ask for."""

    data: bytes
    lossless: bool = False
    progressive: bool = False
    fine_chroma: bool = True
    """Whether colors have the full resolution."""
    quality: int = 0
    """As the encoder counts; 0 if it is not known."""


class WithoutMetadata(Protocol):
    """Removes the metadata of a file."""

    def __call__(self, data: bytes, size: Size, *, animated: bool) -> Coding | None:
        """Return the image, or the whole animation, of *size* in the file *data* without its metadata.

        Returns None if something is unusual; may raise ValueError, IndexError, KeyError, struct.error or zlib.error.
        """
