"""JPEG: how often the decoder goes over the image, for every scan takes it over all of the pixels."""

import re
from typing import IO

from imageconverter.engine.geometry import Size
from imageconverter.engine.limits import Limits
from imageconverter.errors import ImageTooLarge

_MARKER = re.compile(rb"\xff[\xc0-\xcf\xd9-\xfe]")  # neither pixels nor a restart between them
_END, _SCAN = 0xD9, 0xDA
_SEQUENTIAL = (0xC0, 0xC1, 0xC9)


def check_scans(source: IO[bytes], size: Size, limits: Limits) -> None:
    """Raise ImageTooLarge if the JPEG in *source*, of *size* in pixels, has more scans than *limits* allow."""
    max_scans = min(limits.scans, limits.scanned_pixels // (size[0] * size[1]))
    source.seek(0)
    if _count_scans(source.read(), max_scans) > max_scans:
        raise ImageTooLarge(f"A JPEG of this size may not have more than {max_scans} scans.")


def _count_scans(data: bytes, max_scans: int) -> int:
    """Count the scans, up to one more than *max_scans*, from marker to marker as the decoder does."""
    scans = at = 0
    channels = b""
    while scans <= max_scans and (marker := _MARKER.search(data, at)):
        kind, at = data[marker.end() - 1], marker.end()
        if kind == _END:
            break
        if kind in _SEQUENTIAL:
            channels = data[at + 7 : at + 8]
        if kind == _SCAN:
            scans += 1
            if data[at + 2 : at + 3] == channels:  # not progressive and all channels at once: no second one counts
                break
        at += int.from_bytes(data[at : at + 2], "big")
    return scans
