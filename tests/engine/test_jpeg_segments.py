"""JPEG files with faults in what is not needed for the image: they are converted like those without."""

import struct

import pytest

from imageconverter.engine import jpeg
from tests.testing import image_files
from tests.testing.image_assertions import difference, opened, result

_FRAMES = (0xC0, 0xC2)
_COMMENT, _TABLE, _APPLICATION = 0xFE, 0xDB, range(0xE0, 0xF0)


def _segment(kind: int, content: bytes = b"", *, length: int | None = None) -> bytes:
    return struct.pack(">BBH", 0xFF, kind, len(content) + 2 if length is None else length) + content


_FAULTS = {
    **{
        f"segment {kind:X} of length {length}": _segment(kind, length=length)
        for kind in (*_APPLICATION, _COMMENT)
        for length in (0, 1, 2)
    },
    "half a JFIF": _segment(0xE0, b"JFIF\0\1"),
    "half an Adobe": _segment(0xEE, b"Adobe\0"),
    "EXIF without anything": _segment(0xE1, b"Exif\0\0"),
    "a profile without a number": _segment(0xE2, b"ICC_PROFILE\0"),
    "a profile without a count": _segment(0xE2, b"ICC_PROFILE\0\1"),
    "half a list of images": _segment(0xE2, b"MPF\0MM\0*\0\0"),
    "half of Photoshop's resources": _segment(0xED, b"Photoshop 3.0\x008BIM\3\xed\0\0\0"),
    "bytes": b"abc",
    "an escaped byte": b"\xff\0",
    "filling": b"\xff\xff\xff",
    "a temporary marker": b"\xff\1",
    "a restart": b"\xff\xd0",
    "a restart interval of 0": _segment(0xDD, b"\0\0"),
}


@pytest.mark.parametrize("fault", _FAULTS.values(), ids=_FAULTS.keys())
@pytest.mark.parametrize("progressive", [False, True])
def test_a_fault_in_the_header_costs_nothing(fault: bytes, *, progressive: bool) -> None:
    """Wherever it is: libjpeg passes all of these (ISO/IEC 10918-1, B.1.1.2, allows filling and restarts)."""
    data = image_files.jpeg((64, 48), progressive=progressive)
    without = opened(result(data).data)
    places = {segment.kind: segment.start for segment in jpeg.segments(data)}
    for kind in (_TABLE, *_FRAMES, jpeg.SCAN):
        if (at := places.get(kind)) is not None:
            made = result(data[:at] + fault + data[at:])
            assert made.warning == ""
            assert difference(opened(made.data), without) < 1


@pytest.mark.parametrize(
    "fault", ["a temporary marker", "a profile without a number", "half of Photoshop's resources"]
)
def test_a_fault_does_not_cost_the_orientation(fault: str) -> None:
    """Only what is faulty is left out: the image is stored with 48 columns."""
    data = image_files.jpeg((64, 48), orientation=6)
    at = next(segment.start for segment in jpeg.segments(data) if segment.kind == _TABLE)

    assert result(data[:at] + _FAULTS[fault] + data[at:]).size == (64, 48)


@pytest.mark.parametrize("marker", [b"\xff\2", b"\xff\xd8", b"\xff\x4f"])
def test_a_marker_that_does_not_exist_ends_the_pixels(marker: bytes) -> None:
    """As the end of the file would; at the end of the pixels it costs nothing."""
    data = image_files.jpeg((64, 48))

    made = result(data[:-2] + marker + data[-2:])

    assert made.warning == "The file is cut off: its end is missing, but 0 % of the image."
    assert difference(opened(made.data), opened(result(data).data)) < 1
