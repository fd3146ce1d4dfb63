"""JPEG files with faults in what is not needed for the image: they are converted like those without."""

import struct

import pytest

from imageconverter.engine import jpeg
from tests.testing import icc_profiles, image_files
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


@pytest.mark.parametrize("fault", ["a temporary marker", "half of Photoshop's resources"])
def test_a_fault_does_not_cost_the_orientation(fault: str) -> None:
    """Only what is faulty is left out: the image is stored with 48 columns."""
    data = image_files.jpeg((64, 48), orientation=6)
    at = next(segment.start for segment in jpeg.segments(data) if segment.kind == _TABLE)

    assert result(data[:at] + _FAULTS[fault] + data[at:]).size == (64, 48)


def _part(number: int, count: int, content: bytes) -> bytes:
    return _segment(0xE2, b"ICC_PROFILE\0" + bytes([number, count]) + content)


@pytest.mark.parametrize("before", [_TABLE, _FRAMES[0], jpeg.SCAN])
@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_a_profile_may_be_in_parts(before: int, order: tuple[int, int]) -> None:
    """In any order and anywhere before the pixels."""
    profile = icc_profiles.p3_profile()
    parts = {1: _part(1, 2, profile[:100]), 2: _part(2, 2, profile[100:])}
    data = image_files.jpeg((64, 48))
    at = next(segment.start for segment in jpeg.segments(data) if segment.kind == before)

    made = result(data[:at] + parts[order[0]] + parts[order[1]] + data[at:])

    whole = opened(result(image_files.jpeg((64, 48), profile=profile)).data)
    assert made.warning == ""
    assert difference(opened(made.data), whole) < 1
    assert difference(opened(made.data), opened(result(data).data)) > 1


@pytest.mark.parametrize(
    "numbers",
    [[], [(1,)], [(1, 2)], [(2, 2)], [(1, 2), (3, 2)], [(1, 1), (1, 1)], [(0, 1)], [(1, 1), (2, 2)]],
    ids=str,
)
def test_a_profile_that_is_not_complete_is_ignored(numbers: list[tuple[int, ...]]) -> None:
    """With a warning, as any that cannot be used; without any number, it is half of a segment."""
    profile = icc_profiles.p3_profile()
    data = image_files.jpeg((64, 48), orientation=6)
    at = next(segment.start for segment in jpeg.segments(data) if segment.kind == _TABLE)
    parts = [
        _segment(0xE2, b"ICC_PROFILE\0" + bytes(number) + profile * (len(number) > 1)) for number in numbers or [()]
    ]

    made = result(data[:at] + b"".join(parts) + data[at:])

    assert made.warning == "The color profile cannot be used; it is not complete."
    assert made.size == (64, 48)
    assert difference(opened(made.data), opened(result(data).data)) < 1


@pytest.mark.parametrize("marker", [b"\xff\2", b"\xff\xd8", b"\xff\x4f"])
def test_a_marker_that_does_not_exist_ends_the_pixels(marker: bytes) -> None:
    """As the end of the file would; at the end of the pixels it costs nothing."""
    data = image_files.jpeg((64, 48))

    made = result(data[:-2] + marker + data[-2:])

    assert made.warning == "The file is cut off: its end is missing, but 0 % of the image."
    assert difference(opened(made.data), opened(result(data).data)) < 1
