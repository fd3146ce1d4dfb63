"""What a source picture may cost."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Checked against the header, before a single pixel is allocated."""

    pixels: int = 100_000_000
    """Of a picture; of an animation all frames together."""
    frames: int = 500
    """Of an animation that is to stay one."""
