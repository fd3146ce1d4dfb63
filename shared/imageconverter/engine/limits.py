"""What a source image may cost."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Checked against the header, before a single pixel is allocated."""

    pixels: int = 100_000_000
    """Of an image; of an animation all frames together."""
    frames: int = 500
    """Of an animation that is to stay one."""
    scans: int = 500
    """Of a JPEG, as its decoder's authors advise."""
    truncated: bool = True
    """Whether an image that is cut off is converted as far as it can be decoded, with a warning."""
    passes: int = 16
    """Of a JPEG's scans together over `pixels`; encoders make 10 or 12 scans."""

    @property
    def scanned_pixels(self) -> int:
        """The pixels that all scans of a JPEG together may go over."""
        return self.pixels * self.passes
