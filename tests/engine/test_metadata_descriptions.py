"""Metadata of images: the descriptions of values."""

from typing import Any

import pytest

from imageconverter.engine.metadata import names
from tests.testing.exif_files import (
    BYTE,
    DOUBLE,
    FLOAT,
    LONG,
    RATIONAL,
    SHORT,
    SRATIONAL,
    Field,
    exif_of,
    gps_of,
    numbers,
    raw,
    text,
)


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (numbers(0x829A, RATIONAL, 1, 125), (0.008, "1/125 sec")),
        (numbers(0x829A, RATIONAL, 10, 1250), (0.008, "1/125 sec")),
        (numbers(0x829A, RATIONAL, 1, 2), (0.5, "0.5 sec")),
        (numbers(0x829A, RATIONAL, 30, 1), (30, "30 sec")),
        (numbers(0x829D, RATIONAL, 28, 10), (2.8, "f/2.8")),
        (numbers(0x829D, RATIONAL, 8, 1), (8, "f/8.0")),
        (numbers(0x0112, SHORT, 1), (1, "Top, left side (Horizontal / normal)")),
        (numbers(0x0112, SHORT, 6), (6, "Right side, top (Rotate 90 CW)")),
        (numbers(0x0112, SHORT, 9), (9, "Unknown (9)")),
        (numbers(0x0106, SHORT, 34892), (34892, "Linear Raw")),
        (numbers(0x8822, SHORT, 3), (3, "Aperture priority")),
        (numbers(0x8827, SHORT, 100, 200), ([100, 200], "100 200")),
        (raw(0x9000, b"0230"), ("0230", "2.30")),
        (raw(0xA000, b"0100"), ("0100", "1.00")),
        (raw(0x9101, b"\1\2\3\0"), ([1, 2, 3, 0], "YCbCr")),
        (numbers(0x9102, RATIONAL, 4, 1), (4, "4 bits/pixel")),
        (numbers(0x9102, RATIONAL, 1, 1), (1, "1 bit/pixel")),
        (numbers(0x9201, SRATIONAL, 7, 1), (7, "1/128 sec")),
        (numbers(0x9201, SRATIONAL, -1, 1), (-1, "2.0 sec")),
        (numbers(0x9202, RATIONAL, 3, 1), (3, "f/2.8")),
        (numbers(0x9204, SRATIONAL, -1, 3), (-1 / 3, "-1/3 EV")),
        (numbers(0x9204, SRATIONAL, 0, 1), (0, "0 EV")),
        (numbers(0x9206, RATIONAL, 5, 2), (2.5, "2.5 metres")),
        (numbers(0x9207, SHORT, 5), (5, "Multi-segment")),
        (numbers(0x9209, SHORT, 0x5F), (0x5F, "Flash fired, return detected, auto, red-eye reduction")),
        (numbers(0x9209, SHORT, 0x10), (0x10, "Flash did not fire, auto")),
        (numbers(0x9209, SHORT, 0x05), (0x05, "Flash fired, return not detected")),
        (numbers(0x920A, RATIONAL, 50, 1), (50, "50 mm")),
        (numbers(0x920A, RATIONAL, 425, 100), (4.25, "4.25 mm")),
        (numbers(0xA001, SHORT, 1), (1, "sRGB")),
        (numbers(0xA001, SHORT, 2), (2, "Unknown (2)")),
        (numbers(0xA002, LONG, 6000), (6000, "6000 pixels")),
        (raw(0xA300, b"\3"), (3, "Digital Still Camera (DSC)")),
        (raw(0xA301, b"\1"), (1, "Directly photographed image")),
        (numbers(0xA404, RATIONAL, 0, 1), (0, "Digital zoom not used")),
        (numbers(0xA404, RATIONAL, 3, 2), (1.5, "1.5")),
        (numbers(0xA405, SHORT, 35), (35, "35mm")),
        (numbers(0xA405, SHORT, 0), (0, "Unknown")),
        (numbers(0xA432, RATIONAL, 24, 1, 70, 1, 28, 10, 4, 1), ([24, 70, 2.8, 4], "24-70mm f/2.8-4")),
        (numbers(0xA432, RATIONAL, 50, 1, 50, 1, 0, 0, 0, 0), ([50, 50, None, None], "50mm")),
        (numbers(0x0212, SHORT, 2, 2), ([2, 2], "YCbCr4:2:0")),
        (numbers(0x0214, RATIONAL, 0, 1, 255, 1, 128, 1, 255, 1, 128, 1, 255, 1),
         ([0, 255, 128, 255, 128, 255], "[0,128,128] [255,255,255]")),
        (numbers(0xA500, RATIONAL, 22, 10), (2.2, "2.2")),
        (raw(0x9C9B, "Ferien é\0".encode("utf-16-le"), BYTE), ("Ferien é", "Ferien é")),
        (raw(0x9286, b"ASCII\0\0\0hello"), ("hello", "hello")),
        (raw(0x9286, b"\0\0\0\0\0\0\0\0hello   "), ("hello", "hello")),
        (raw(0x9286, b"JIS\0\0\0\0\0" + "日本".encode("iso2022_jp")), ("日本", "日本")),
        (raw(0x927C, bytes(range(256)) * 2), ("[512 bytes]", "[512 bytes]")),
        (numbers(0x0111, LONG, *range(100)), ("[100 values]", "[100 values]")),
        # A value of another type than that of the tag is not converted.
        (text(0x829D, "wide"), ("wide", "wide")),
        (text(0x0112, "up"), ("up", "Unknown (up)")),
        (text(0xA432, "zoom"), ("zoom", "zoom")),
        (numbers(0x9101, SHORT, 9, 9), ([9, 9], "9 9")),
        (numbers(0x829A, FLOAT, 0.5), (0.5, "0.5 sec")),
        (numbers(0x9202, DOUBLE, 1e300), (1e300, "1e+300")),
    ],
)  # fmt: skip
def test_a_value_is_described(field: Field, expected: tuple[Any, str]) -> None:
    """In the words of the original, if it has any."""
    assert exif_of(field) == {names.EXIF[field[0]]: expected}


@pytest.mark.parametrize(("unit", "expected"), [((), "unit"), ((1,), "(no unit)"), ((2,), "inch"), ((3,), "cm")])
def test_a_resolution_is_given_with_its_unit(unit: tuple[int, ...], expected: str) -> None:
    """The unit is in another tag."""
    fields = [numbers(0x011A, RATIONAL, 300, 1), *(numbers(0x0128, SHORT, each) for each in unit)]

    assert exif_of(main=fields)["X Resolution"] == (300, f"300 dots per {expected}")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([(0x02, (52, 1, 31, 1, 12, 1)), (0x01, "N")], ([52, 31, 12], "52° 31' 12\"")),
        ([(0x02, (33, 1, 515, 10, 0, 1)), (0x01, "S")], ([33, 51.5, 0], "-33° 51' 30\"")),
        ([(0x04, (0, 1, 7, 1, 395, 10)), (0x03, "W")], ([0, 7, 39.5], "-0° 7' 39.5\"")),
        ([(0x04, (13, 1, 23, 1, 59_999, 1000)), (0x03, "E")], ([13, 23, 59.999], "13° 24' 0\"")),
        ([(0x02, (52, 1, 31, 1))], ([52, 31], "52 31")),
        ([(0x02, (52, 1, 31, 1, 0, 0))], ([52, 31, None], "52 31 ?")),
        ([(0x06, (345, 10)), (0x05, b"\0")], (34.5, "34.5 metres")),
        ([(0x07, (9, 1, 5, 1, 75, 10))], ([9, 5, 7.5], "09:05:07.500 UTC")),
        ([(0x0D, (72, 1)), (0x0C, "K")], (72, "72 km/h")),
        ([(0x0D, (72, 1))], (72, "72 unit")),
        ([(0x11, (1234, 10))], (123.4, "123.4 degrees")),
        ([(0x1A, (3, 2)), (0x19, "m")], (1.5, "1.5 miles")),
        ([(0x05, b"\1")], (1, "Below sea level")),
        ([(0x09, "A")], ("A", "Active (Measurement in progress)")),
        ([(0x0A, "3")], ("3", "3-dimensional measurement")),
        ([(0x10, "X")], ("X", "Unknown (X)")),
        ([(0x00, b"\2\3\0\0")], ([2, 3, 0, 0], "2.300")),
        ([(0x1D, "2024:05:06")], ("2024:05:06", "2024:05:06")),
    ],
)
def test_a_gps_value_is_described(fields: list[tuple[int, Any]], expected: tuple[Any, str]) -> None:
    """Places in degrees, minutes and seconds, south and west negative; other values with their unit."""
    made = [
        numbers(tag, RATIONAL, *value) if isinstance(value, tuple)
        else raw(tag, value, BYTE) if isinstance(value, bytes) else text(tag, value)
        for tag, value in fields
    ]  # fmt: skip

    assert gps_of(*made)[names.GPS[fields[0][0]]] == expected
