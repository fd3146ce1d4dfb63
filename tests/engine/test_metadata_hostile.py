"""Metadata of images: broken and hostile blocks."""

import math
import struct
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imageconverter.engine.metadata import names
from tests.testing.exif_files import (
    ASCII,
    DOUBLE,
    EXIF_POINTER,
    FLOAT,
    GPS_POINTER,
    INTEROP_POINTER,
    LONG,
    RATIONAL,
    SHORT,
    UNDEFINED,
    Field,
    block,
    directory,
    exif_of,
    holding,
    numbers,
    raw,
    read,
    text,
)


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
    """It has no control characters, does not change the text direction, and is not too long."""
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
def test_empty_and_invalid_values_are_omitted(field: Field) -> None:
    """So are unknown tags."""
    assert exif_of(field) == {}


def test_a_value_outside_of_the_block_does_not_affect_earlier_ones() -> None:
    """Its offset or length is beyond the end; the directory after a truncated one is not read."""
    body = struct.pack("<H", 4) + struct.pack("<HHLL", 0x0201, LONG, 1, 300)
    body += struct.pack("<HHL4s", 0x010F, ASCII, 4, b"abc\0")
    body += struct.pack("<HHLL", 0x0110, ASCII, 9, 2**32 - 1) + struct.pack("<HHLL", 0x0131, ASCII, 2**32 - 1, 8)

    metadata = read(holding(b"II*\0\x08\0\0\0" + body))

    assert list(metadata["Exif"]) == ["Make"]
    assert "Thumbnail" not in metadata


def test_directories_in_a_cycle_are_read_once() -> None:
    """Every pointer is to the first directory."""
    fields = [numbers(pointer, LONG, 8) for pointer in (EXIF_POINTER, GPS_POINTER, INTEROP_POINTER)]
    fields.append(text(0x010F, "round and round"))

    metadata = read(holding(b"II*\0\x08\0\0\0" + directory(fields, 8, 8)))

    assert metadata["Exif"]["Make"]["value"] == "round and round"
    assert set(metadata) == {"Header", "File", "Exif"}


def test_a_directory_with_too_many_tags_is_ignored() -> None:
    """All with the same long value."""
    entries = b"".join(struct.pack("<HHLL", tag, UNDEFINED, 4000, 8) for tag in range(0xFFFF))
    exif = b"II*\0\x08\0\0\0" + struct.pack("<H", 0xFFFF) + entries + bytes(4)

    assert "Exif" not in read(holding(exif))


def test_a_bigtiff_with_an_absurd_number_of_tags_is_ignored() -> None:
    """Before its tags are read."""
    exif = b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 2**60) + struct.pack("<HHQQ", 0x010F, ASCII, 4, 0) * 10

    assert "Exif" not in read(holding(exif))


def test_long_values_are_not_decoded() -> None:
    """Only their length is given."""
    exif = exif_of(numbers(0x013E, RATIONAL, *([1, 3] * 250_000)), raw(0xEA1C, b"a" * 9_000_000), text(0x9290, "25"))

    assert exif["White Point"] == ("[250000 values]", "[250000 values]")
    assert exif["Padding"] == ("[9000000 bytes]", "[9000000 bytes]")
    assert exif["Sub-Sec Time"] == ("25", "25")


@pytest.mark.parametrize(
    "exif", [b"", b"II", b"II*\0", b"garbage!", b"MM\0*\0\0\0\0", b"II*\0\xff\xff\xff\xff", b"\0" * 64]
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_an_invalid_block_is_ignored(exif: bytes, kind: str) -> None:
    """The header is still returned."""
    assert set(read(holding(exif, kind))) == {"Header", "File"}


@given(
    st.lists(st.tuples(st.integers(0, 2**16 - 1), st.binary(min_size=1, max_size=4)), max_size=40),
    st.sampled_from([block([text(0x010F, "Canon")], sub=[numbers(0x829A, RATIONAL, 1, 125)]), block(order=">")]),
)
def test_damage_never_raises(damage: list[tuple[int, bytes]], exif: bytes) -> None:
    """The result is JSON, whatever bytes are changed."""
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
def test_values_never_raise(fields: list[Field]) -> None:
    """Of any tag, type, count and bits."""
    sizes = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}
    fields = [(tag, kind, count, value[: count * sizes[kind]]) for tag, kind, count, value in fields]

    metadata = read(holding(block(fields, sub=fields, gps=fields, thumbnail=fields)))

    for entries in metadata.values():
        assert all(len(entry["description"]) <= 20_000 for entry in entries.values())


def test_reading_emits_no_warnings() -> None:
    """Broken metadata is common."""
    exif = block([(0x010F, ASCII, 2**20, b"too short"), numbers(0x0112, SHORT, 1, 2, 3)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")

        assert "Header" in read(holding(exif))
