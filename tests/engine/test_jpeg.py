"""How often a JPEG may be drawn, however that is hidden."""

import io
import struct

import pytest

from imageconverter.engine import Limits
from imageconverter.engine.decode import load, open_image
from imageconverter.errors import ImageTooLarge
from tests.testing import image_files

_SCAN = b"\xff\xda"
_END = b"\xff\xd9"


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def _drawn(times: int, *, between: bytes = b"") -> bytes:
    """Make a progressive JPEG whose last scan, the tenth, comes so many *times*."""
    whole = image_files.jpeg((64, 48), progressive=True)
    last = whole.rindex(_SCAN)
    return whole[:-2] + (between + whole[last:-2]) * (times - 1) + _END


def _channel_by_channel(scans: int) -> bytes:
    """Make a JPEG that is not progressive, with *scans* of one channel each that hold next to nothing."""
    whole = image_files.jpeg((64, 48))
    scan = _segment(0xDA, b"\1\1\0\0\x3f\0") + b"\0\0"
    return whole[: whole.index(_SCAN)] + scan * scans + _END


def _open(data: bytes, limits: Limits) -> None:
    image, info = open_image(io.BytesIO(data), limits)
    load(image, info, at_least=(1, 1))


def test_a_jpeg_may_have_so_many_scans() -> None:
    """And no more, for each takes its decoder over all of the image."""
    _open(_drawn(6), Limits(scans=15))
    with pytest.raises(ImageTooLarge, match="more than 14 scans"):
        _open(_drawn(6), Limits(scans=14))


def test_a_large_jpeg_may_have_fewer_scans() -> None:
    """All of them together may go over so many pixels, but what encoders write is always let through."""
    at_the_limit = Limits(pixels=64 * 48)

    _open(_drawn(1), at_the_limit)
    with pytest.raises(ImageTooLarge):
        _open(_drawn(8), at_the_limit)
    _open(_drawn(8), Limits(pixels=2 * 64 * 48))


@pytest.mark.parametrize(
    "between",
    [
        _segment(0xFE, b"an end" + _END + b" that is none"),
        _END[:1] * 3,
        b"\xff\2\xff\xff",
        b"\xff\0\xff\xd0\xff\1",
        _segment(0xDD, b"\0\0"),
    ],
    ids=[
        "an end in a comment",
        "filling",
        "a marker that does not exist",
        "pixels and restarts",
        "a restart interval",
    ],
)
def test_scans_cannot_be_hidden(between: bytes) -> None:
    """Neither in nor after what the decoder skips."""
    with pytest.raises(ImageTooLarge):
        _open(_drawn(20, between=between), Limits(scans=28))


def test_scans_of_single_channels_count() -> None:
    """What is not progressive may be drawn many times too."""
    _open(_channel_by_channel(3), Limits(scans=3))
    with pytest.raises(ImageTooLarge):
        _open(_channel_by_channel(4), Limits(scans=3))


def test_what_looks_like_a_scan_is_none() -> None:
    """In a thumbnail, in a profile, and in the film that telephones put behind the image."""
    whole = image_files.jpeg((64, 48))
    thumbnail = _segment(0xE1, _SCAN * 100)

    _open(whole[:2] + thumbnail + whole[2:] + _SCAN * 100, Limits(scans=1))
    progressive = _drawn(1)
    _open(progressive[:2] + thumbnail + progressive[2:] + _SCAN * 100, Limits(scans=10))


@pytest.mark.parametrize("cut", [20, 200, 300])
def test_half_a_jpeg_is_looked_through_to_its_end(cut: int) -> None:
    """A file that ends in the middle of something is broken, and nothing else."""
    with pytest.raises(Exception, match="broken"):
        _open(_drawn(1)[:cut], Limits())
