"""What a image's file says about it, and how little it costs where it lies."""

import io
import json
import math
import struct
import warnings
from collections.abc import Sequence
from typing import Any, Literal

import pillow_heif
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imageconverter.engine import Limits
from imageconverter.engine.decode import load, open_image
from imageconverter.engine.metadata import Metadata, names, read_metadata
from tests.testing import image_files

pillow_heif.register_heif_opener()

Order = Literal["<", ">"]
Field = tuple[int, int, int, bytes]
"""Tag, type, count, and the bytes of the value."""

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, SRATIONAL, FLOAT, DOUBLE = 1, 2, 3, 4, 5, 7, 10, 11, 12
EXIF_POINTER, GPS_POINTER, INTEROP_POINTER = 0x8769, 0x8825, 0xA005
LIMITS = Limits()


# --- EXIF made by hand --------------------------------------------------------------------------
def text(tag: int, value: str | bytes) -> Field:
    """A field of text, with the zero that ends it."""
    data = (value.encode() if isinstance(value, str) else value) + b"\0"
    return (tag, ASCII, len(data), data)


def raw(tag: int, value: bytes, kind: int = UNDEFINED) -> Field:
    """A field of bytes."""
    return (tag, kind, len(value), value)


def numbers(tag: int, kind: int, *values: float, order: Order = "<") -> Field:
    """A field of numbers; of rationals, numerators and denominators in turn."""
    code = {SHORT: "H", LONG: "L", RATIONAL: "L", SRATIONAL: "l", FLOAT: "f", DOUBLE: "d"}[kind]
    count = len(values) // 2 if kind in (RATIONAL, SRATIONAL) else len(values)
    return (tag, kind, count, struct.pack(f"{order}{len(values)}{code}", *values))


def directory(fields: Sequence[Field], at: int, following: int = 0, *, order: Order = "<") -> bytes:
    """One directory that stands *at* an offset, with what its fields need behind it."""
    data_at = at + 2 + 12 * len(fields) + 4
    entries, data = struct.pack(order + "H", len(fields)), b""
    for tag, kind, count, value in fields:
        held = value if len(value) <= 4 else struct.pack(order + "L", data_at + len(data))
        entries += struct.pack(order + "HHL", tag, kind, count) + held.ljust(4, b"\0")
        data += value if len(value) > 4 else b""
    return entries + struct.pack(order + "L", following) + data


def block(
    main: Sequence[Field] = (),
    *,
    sub: Sequence[Field] = (),
    gps: Sequence[Field] = (),
    interop: Sequence[Field] = (),
    thumbnail: Sequence[Field] = (),
    order: Order = "<",
) -> bytes:
    """A whole EXIF block: the last directories come first, so that those before can point at them."""
    body, at = b"", 8

    def add(fields: Sequence[Field], following: int = 0) -> int:
        nonlocal body
        start = at + len(body)
        body += directory(fields, start, following, order=order)
        return start

    sub = [*sub, numbers(INTEROP_POINTER, LONG, add(interop), order=order)]
    pointers = [numbers(EXIF_POINTER, LONG, add(sub), order=order), numbers(GPS_POINTER, LONG, add(gps), order=order)]
    following = add(thumbnail) if thumbnail else 0
    first = add([*main, *pointers], following)
    return (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "L", first) + body


def holding(exif: bytes, kind: str = "PNG", size: tuple[int, int] = (6, 4)) -> bytes:
    """A small image with an EXIF block."""
    file = io.BytesIO()
    image_files.photo(size).save(file, kind, exif=b"Exif\0\0" + exif)
    return file.getvalue()


def read(data: bytes) -> Metadata:
    """Read the metadata of a file, and see that it is JSON of a bearable size."""
    source = io.BytesIO(data)
    image, info = open_image(source, LIMITS)
    metadata = read_metadata(source, image, info)
    load(image, info, at_least=info.size)  # reading has not moved what is decoded afterwards
    assert len(json.dumps(metadata, allow_nan=False)) < 200_000
    return metadata


def exif_of(*fields: Field, **others: Any) -> dict[str, tuple[Any, str]]:
    """Value and description by name of the fields of a camera's directory."""
    entries = read(holding(block(sub=fields, **others))).get("Exif", {})
    return {name: (entry["value"], entry["description"]) for name, entry in entries.items()}


def gps_of(*fields: Field) -> dict[str, tuple[Any, str]]:
    """Value and description by name of the fields of the directory about the place."""
    entries = read(holding(block(gps=fields))).get("GPS", {})
    return {name: (entry["value"], entry["description"]) for name, entry in entries.items()}


# --- groups and names ---------------------------------------------------------------------------
def test_there_are_as_many_names_as_in_the_original() -> None:
    """Clients look entries up by them, so none may come twice in a group."""
    assert {group: len(known) for group, known in names.GROUPS.items()} == {
        "Header": 3,
        "File": 3,
        "Exif": 155,
        "GPS": 31,
        "Thumbnail": 2,
    }
    assert all(len(set(known.values())) == len(known) for known in names.GROUPS.values())


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "HEIF"])
def test_every_format_tells_what_it_holds(kind: str) -> None:
    """All five groups come out of any of them."""
    exif = block(
        [text(0x010F, "Canon"), numbers(0x011A, RATIONAL, 72, 1)],
        sub=[numbers(0x829A, RATIONAL, 1, 125)],
        gps=[text(0x01, "N")],
        thumbnail=[numbers(0x0201, LONG, 300), numbers(0x0202, LONG, 0)],
    )
    data = holding(exif, kind, (16, 12))
    name = {"HEIF": "heic"}.get(kind, kind.lower())

    metadata = read(data)

    assert metadata["Exif"]["Make"] == {"id": 0x010F, "value": "Canon", "description": "Canon"}
    assert metadata["Exif"]["Exposure Time"] == {"id": 0x829A, "value": 0.008, "description": "1/125 sec"}
    assert metadata["GPS"]["GPS Latitude Ref"] == {"id": 0x01, "value": "N", "description": "N"}
    assert metadata["File"] == {
        "File Size": {"id": 0x0002, "value": len(data), "description": f"{len(data)} bytes"},
    }
    assert metadata["Header"] == {
        "Header Pixel Width": {"id": 0x9001, "value": 16, "description": "16 pixels"},
        "Header Pixel Height": {"id": 0x9002, "value": 12, "description": "12 pixels"},
        "Header Format Name": {"id": 0x9010, "value": name, "description": name},
    }
    if kind != "TIFF":  # there the next directory is the next page
        assert metadata["Thumbnail"]["Thumbnail Offset"] == {"id": 0x0201, "value": 300, "description": "300 bytes"}


def test_an_image_that_says_nothing_has_a_header_and_a_size() -> None:
    """Groups without entries are left out."""
    assert set(read(image_files.png())) == {"Header", "File"}
    assert set(read(image_files.gif())) == {"Header", "File"}


@pytest.mark.parametrize("make", image_files.SOURCES.values(), ids=image_files.SOURCES.keys())
def test_every_source_has_a_header(make: Any) -> None:
    """Whatever is read as an image tells its extents."""
    assert read(make())["Header"]["Header Pixel Width"]["value"] > 0


@pytest.mark.parametrize(("orientation", "expected"), [(3, (96, 64)), (6, (64, 96)), (8, (64, 96))])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WebP", "AVIF", "TIFF"])
def test_the_header_is_that_of_the_stored_rows(kind: str, orientation: int, expected: tuple[int, int]) -> None:
    """So that it fits the orientation, which a client is told as well; `image_files.SIZE` is what a person sees."""
    make = {"PNG": image_files.png, "WebP": image_files.webp, "AVIF": image_files.avif, "TIFF": image_files.tiff}

    metadata = read(make.get(kind, image_files.jpeg)(orientation=orientation))

    header = metadata["Header"]
    assert metadata["Exif"]["Orientation"]["value"] == orientation
    assert (header["Header Pixel Width"]["value"], header["Header Pixel Height"]["value"]) == expected


def test_the_orientation_of_a_heic_is_told_as_its_camera_wrote_it() -> None:
    """Its reader turns the image and calls it upright."""
    metadata = read(holding(block([numbers(0x0112, SHORT, 6)]), "HEIF", (96, 64)))

    assert metadata["Exif"]["Orientation"]["value"] == 6
    assert metadata["Header"]["Header Pixel Width"]["value"] == 96


def test_the_bytes_of_the_camera_may_be_in_either_order() -> None:
    """Intel's and Motorola's tell the same."""
    orders: tuple[tuple[Order, str], ...] = (("<", "utf-16-le"), (">", "utf-16-be"))
    little, big = (
        block(
            [text(0x0110, "EOS"), numbers(0x0112, SHORT, 1, order=order)],
            sub=[numbers(0x829D, RATIONAL, 28, 10, order=order), raw(0x9286, b"UNICODE\0" + "Größe".encode(codec))],
            order=order,
        )
        for order, codec in orders
    )

    exif = read(holding(little))["Exif"]

    assert exif == read(holding(big))["Exif"]
    assert exif["User Comment"]["value"] == "Größe"


def test_all_directories_of_a_camera_are_one_group() -> None:
    """The main one, that of the camera, that of interoperability; entries are in the order of their numbers."""
    exif = exif_of(
        numbers(0x8827, SHORT, 400),
        main=[text(0x8298, "A. Person")],
        interop=[text(0x0001, "R98"), raw(0x0002, b"0100")],
    )

    assert exif == {
        "Interoperability Index": ("R98", "Recommended Exif Interoperability Rules (ExifR98)"),
        "Interoperability Version": ("0100", "1.00"),
        "Copyright": ("A. Person", "A. Person"),
        "ISO Speed Ratings": (400, "400"),
    }


def test_exif_in_the_text_of_a_png_is_found() -> None:
    """ImageMagick wrote it there before PNG had a chunk for it."""
    exif = b"Exif\0\0" + block([text(0x0131, "ImageMagick")])
    profile = f"\nexif\n{len(exif):8}\n{exif.hex()}\n"
    chunk = b"Raw profile type exif\0" + profile.encode()

    metadata = read(image_files.raw_png((1, 1), 8, 0, [b"\0"], (b"tEXt", chunk)))

    assert metadata["Exif"]["Software"]["value"] == "ImageMagick"


# --- words --------------------------------------------------------------------------------------
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
        # What is not of the type that the tag has is given as it is.
        (text(0x829D, "wide"), ("wide", "wide")),
        (text(0x0112, "up"), ("up", "Unknown (up)")),
        (text(0xA432, "zoom"), ("zoom", "zoom")),
        (numbers(0x9101, SHORT, 9, 9), ([9, 9], "9 9")),
        (numbers(0x829A, FLOAT, 0.5), (0.5, "0.5 sec")),
        (numbers(0x9202, DOUBLE, 1e300), (1e300, "1e+300")),
    ],
)  # fmt: skip
def test_a_value_is_described(field: Field, expected: tuple[Any, str]) -> None:
    """In the words of the original, where it has some."""
    assert exif_of(field) == {names.EXIF[field[0]]: expected}


@pytest.mark.parametrize(("unit", "expected"), [((), "unit"), ((1,), "(no unit)"), ((2,), "inch"), ((3,), "cm")])
def test_a_resolution_is_given_with_its_unit(unit: tuple[int, ...], expected: str) -> None:
    """Which another tag names."""
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
def test_a_place_is_described(fields: list[tuple[int, Any]], expected: tuple[Any, str]) -> None:
    """In degrees, minutes and seconds, south and west negative; measures with their unit."""
    made = [
        numbers(tag, RATIONAL, *value) if isinstance(value, tuple)
        else raw(tag, value, BYTE) if isinstance(value, bytes) else text(tag, value)
        for tag, value in fields
    ]  # fmt: skip

    assert gps_of(*made)[names.GPS[fields[0][0]]] == expected


# --- hostile files ------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"a\0b\1c\x7f\x1bd", "a bcd"),
        (b"two\nlines\r\n", "two lines"),
        ("safe\u202etxt.exe\u2066".encode(), "safetxt.exe"),
        ("Größe\u00a0日本".encode(), "Größe 日本"),
        ("Größe".encode("latin-1"), "Größe"),
        (b"\xff\xfe\x80", "ÿþ"),
        ("👩\u200d👩".encode(), "👩\u200d👩"),
        (b"x" * 50_000, "x" * 4096),
        ("é".encode() * 20_000, "é" * 4096),
    ],
)
def test_text_is_cleaned_and_bounded(value: bytes, expected: str) -> None:
    """Nothing in it moves a terminal, turns a line of text round, or is long."""
    assert exif_of(text(0x010E, value))["Image Description"] == (expected, expected)


@pytest.mark.parametrize(
    "field",
    [
        numbers(0x829A, RATIONAL, 1, 0),
        numbers(0x829A, RATIONAL, 0, 0),
        numbers(0x013E, RATIONAL, 0, 0, 1, 0),
        numbers(0x829A, FLOAT, math.nan),
        numbers(0x829A, DOUBLE, -math.inf),
        text(0x010E, ""),
        text(0x010E, "\0\0  \0"),
        (0x010E, ASCII, 0, b""),
        (0x0112, 99, 1, b"\1\0"),
        raw(0x4321, b"unknown tag"),
    ],
)
def test_what_says_nothing_is_left_out(field: Field) -> None:
    """So is what no client would know."""
    assert exif_of(field) == {}


def test_a_value_that_lies_outside_takes_nothing_with_it_that_was_before() -> None:
    """Its offset is behind the end, or its length is; and no directory follows one that has no end."""
    body = struct.pack("<H", 4) + struct.pack("<HHLL", 0x0201, LONG, 1, 300)
    body += struct.pack("<HHL4s", 0x010F, ASCII, 4, b"abc\0")
    body += struct.pack("<HHLL", 0x0110, ASCII, 9, 2**32 - 1) + struct.pack("<HHLL", 0x0131, ASCII, 2**32 - 1, 8)

    metadata = read(holding(b"II*\0\x08\0\0\0" + body))

    assert list(metadata["Exif"]) == ["Make"]
    assert "Thumbnail" not in metadata


def test_directories_that_point_at_each_other_are_read_once() -> None:
    """Every pointer leads back to the first directory."""
    fields = [numbers(pointer, LONG, 8) for pointer in (EXIF_POINTER, GPS_POINTER, INTEROP_POINTER)]
    fields.append(text(0x010F, "round and round"))

    metadata = read(holding(b"II*\0\x08\0\0\0" + directory(fields, 8, 8)))

    assert metadata["Exif"]["Make"]["value"] == "round and round"
    assert set(metadata) == {"Header", "File", "Exif"}


def test_a_directory_with_very_many_tags_is_passed_over() -> None:
    """All of them with a name, and all with the same long value."""
    entries = b"".join(struct.pack("<HHLL", tag, UNDEFINED, 4000, 8) for tag in range(0xFFFF))
    exif = b"II*\0\x08\0\0\0" + struct.pack("<H", 0xFFFF) + entries + bytes(4)

    assert "Exif" not in read(holding(exif))


def test_a_bigtiff_that_claims_more_tags_than_there_are_atoms_is_passed_over() -> None:
    """It is not counted to the end."""
    exif = b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 2**60) + struct.pack("<HHQQ", 0x010F, ASCII, 4, 0) * 10

    assert "Exif" not in read(holding(exif))


def test_long_values_are_counted_and_not_decoded() -> None:
    """The length of a value is known before."""
    exif = exif_of(numbers(0x013E, RATIONAL, *([1, 3] * 250_000)), raw(0xEA1C, b"a" * 9_000_000), text(0x9290, "25"))

    assert exif["White Point"] == ("[250000 values]", "[250000 values]")
    assert exif["Padding"] == ("[9000000 bytes]", "[9000000 bytes]")
    assert exif["Sub-Sec Time"] == ("25", "25")


@pytest.mark.parametrize(
    "exif", [b"", b"II", b"II*\0", b"garbage!", b"MM\0*\0\0\0\0", b"II*\0\xff\xff\xff\xff", b"\0" * 64]
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_block_that_is_none_is_passed_over(exif: bytes, kind: str) -> None:
    """The header is told all the same."""
    assert set(read(holding(exif, kind))) == {"Header", "File"}


@given(
    st.lists(st.tuples(st.integers(0, 2**16 - 1), st.binary(min_size=1, max_size=4)), max_size=40),
    st.sampled_from([block([text(0x010F, "Canon")], sub=[numbers(0x829A, RATIONAL, 1, 125)]), block(order=">")]),
)
def test_no_damage_is_an_error(damage: list[tuple[int, bytes]], exif: bytes) -> None:
    """Whatever bytes are changed, out comes JSON."""
    damaged = bytearray(exif)
    for at, change in damage:
        start = 8 + at % (len(exif) - 8)
        damaged[start : start + len(change)] = change

    assert "Header" in read(holding(bytes(damaged)))


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*names.EXIF, *names.GPS]),
            st.sampled_from([*range(1, 14), 16]),
            st.integers(0, 40),
            st.binary(min_size=320, max_size=320),
        ),
        max_size=6,
    )
)
def test_no_value_of_any_tag_is_an_error(fields: list[Field]) -> None:
    """Of any type, any number of them, and with any bits."""
    sizes = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}
    fields = [(tag, kind, count, value[: count * sizes[kind]]) for tag, kind, count, value in fields]

    metadata = read(holding(block(fields, sub=fields, gps=fields, thumbnail=fields)))

    for entries in metadata.values():
        assert all(len(entry["description"]) <= 20_000 for entry in entries.values())


def test_reading_warns_nobody() -> None:
    """Broken metadata are the normal case."""
    exif = block([(0x010F, ASCII, 2**20, b"too short"), numbers(0x0112, SHORT, 1, 2, 3)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")

        assert "Header" in read(holding(exif))
