"""How much of a JPEG that is cut off is there, by what its scans bring; no decoder is needed for it."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from imageconverter.engine import jpeg
from imageconverter.engine.jpeg import Frame, Segment

_COEFFICIENTS = 64  # of a block
_MIN_FILLING = 64  # zeros, which a file system or a download puts in the place of data that never came
# Neither pixels, nor filling, nor a restart, nor what `jpeg.segments` finds: a decoder stops there.
_NO_MARKER = re.compile(rb"\xff[\x01-\xbf\xd8]")
_BLURRED = 2  # rows over which a difference spreads while channels are brought to the scale of the image


class Scan(NamedTuple):
    """What one scan brings: a band of coefficients of some channels, down to a bit."""

    channels: tuple[int, ...]
    first: int
    last: int
    bit: int
    """0 if nothing remains to be refined."""


def cut_points(data: bytes) -> list[int]:
    """Return where *data* may be cut and ended with an end marker, ascending: after each scan and before its end.

    A marker that no JPEG has among its pixels is an end too. What is incomplete at the end is left out: a segment,
    half a marker, zeros instead of data. Empty if there is no scan.
    """
    points: list[int] = []
    end = len(data)
    has_scan = False
    pixels: int | None = None
    for segment in jpeg.segments(data):
        if has_scan:
            points.append(segment.start)
        if pixels is not None:
            points += (marker.start() for marker in _NO_MARKER.finditer(data, pixels, segment.start))
        pixels = segment.end if segment.kind == jpeg.SCAN else None
        if segment.end > len(data) or segment.kind == jpeg.END:
            end = segment.start
            break
        has_scan = has_scan or segment.kind == jpeg.SCAN
    rest = data[:end].rstrip(b"\0")
    if end - len(rest) >= _MIN_FILLING:
        end = len(rest)
    if pixels is not None:
        points += (marker.start() for marker in _NO_MARKER.finditer(data, pixels, end))
    if data[:end].endswith(b"\xff"):
        end -= 1
    return sorted({*(point for point in points if point < end), end}) if has_scan else []


def missing_rows(data: bytes, height: int, first_wrong: float | None) -> tuple[float, float]:
    """Return the share of the rows of which nothing is there, and that of a band of rows, which are decoded together.

    In the last scan of *data*, all is there if *first_wrong* is None, and else nothing below the band with this row.
    A band of which only the left part is there counts as there.
    """
    frame, scans = _read(data)
    band = (frame.band if frame else 1) / height
    if first_wrong is None or frame is None or _is_coarse(frame, scans):
        return 0.0, band
    bands = (first_wrong + _BLURRED) // (band * height)
    return max(1 - (bands + 1) * band, band / 2), band


def missing_detail(data: bytes, height: int, first_wrong: float | None) -> float:
    """Return the share of the detail that is missing, 0 to 1; all rows are there.

    Detail is counted in coefficients, weighted by the samples of their channel; one that is to be refined by further
    scans counts in part.
    """
    frame, scans = _read(data)
    if frame is None or not frame.channels:
        return 0.0
    reached = 1.0 if first_wrong is None else first_wrong / height
    there = {channel.name: [0.0] * _COEFFICIENTS for channel in frame.channels}
    steps: dict[tuple[int, int], int] = {}
    for number, scan in enumerate(scans, start=1):
        share = reached if number == len(scans) else 1.0
        for name in scan.channels:
            for at in range(scan.first, min(scan.last + 1, _COEFFICIENTS)) if name in there else ():
                all_steps = steps.setdefault((name, at), scan.bit + 1)
                there[name][at] = min(1.0, there[name][at] + share / all_steps)
    samples = {channel.name: channel.across * channel.down for channel in frame.channels}
    complete = _COEFFICIENTS * sum(samples.values())
    return 1 - sum(sum(there[name]) * samples[name] for name in samples) / max(1, complete)


def _is_coarse(frame: Frame, scans: Sequence[Scan]) -> bool:
    """Whether a scan before the last one brought a coarse image of all rows."""
    main = frame.channels[0].name if frame.channels else 0
    return any(main in scan.channels and scan.first == 0 for scan in scans[:-1])


def _read(data: bytes) -> tuple[Frame | None, Sequence[Scan]]:
    frame: Frame | None = None
    scans: list[Scan] = []
    for segment in jpeg.segments(data):
        if segment.kind in jpeg.FRAMES:
            frame = jpeg.read_frame(data, segment)
        if segment.kind == jpeg.SCAN and frame is not None:
            scans.append(_scan(data, segment, frame))
    return frame, scans


def _scan(data: bytes, segment: Segment, frame: Frame) -> Scan:
    """Read the header of a scan (ISO/IEC 10918-1, B.2.3)."""
    content = data[segment.start + 4 : segment.end]
    count = content[0] if content else 0
    channels = tuple(content[1 : 1 + 2 * count : 2])
    band = content[1 + 2 * count : 4 + 2 * count]
    if frame.kind not in jpeg.PROGRESSIVE or len(band) < 3:  # noqa: PLR2004 - first, last, bits
        return Scan(channels, 0, _COEFFICIENTS - 1, 0)
    return Scan(channels, band[0], band[1], band[2] & 15)
