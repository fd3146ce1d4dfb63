"""TGA: kinds, depths, maps, origins, packets, what alpha means, and files that are cut off."""

import struct

import numpy as np
import pytest

from imageconverter.engine import identify
from tests.testing.drawings import cutout, photo
from tests.testing.image_assertions import alpha, converted, difference, outcomes, result, target
from tests.testing.tga_files import Samples, tga

_SIZE = (37, 23)
_COLORS = ((200, 0, 0), (0, 150, 0), (0, 0, 100), (250, 240, 230))
_KINDS = pytest.mark.parametrize("packed", [0, 8], ids=["raw", "RLE"])


def _bgr() -> Samples:
    return np.asarray(photo(_SIZE))[..., ::-1]


def _bgra() -> Samples:
    return np.asarray(cutout(_SIZE))[..., (2, 1, 0, 3)]


def _words(values: Samples) -> Samples:
    return np.ascontiguousarray(values.astype("<u2")).view("u1").reshape(*values.shape, 2)


def _colors(data: bytes) -> list[list[int]]:
    return np.asarray(converted(data).convert("RGB"))[0].tolist()  # type: ignore[no-any-return]


@_KINDS
@pytest.mark.parametrize("from_right", [False, True])
@pytest.mark.parametrize("from_above", [False, True])
def test_every_origin(packed: int, *, from_right: bool, from_above: bool) -> None:
    """And an identifier before the pixels; packets go over the ends of rows."""
    data = tga(_bgr(), 2 + packed, from_right=from_right, from_above=from_above, identifier=b"abc")

    assert difference(converted(data), photo(_SIZE)) == 0


@_KINDS
def test_alpha(packed: int) -> None:
    """Of colors and of gray."""
    gray = np.asarray(cutout(_SIZE).convert("LA"))

    assert difference(converted(tga(_bgra(), 2 + packed, alpha_bits=8)), cutout(_SIZE)) == 0
    assert difference(converted(tga(gray, 3 + packed, alpha_bits=8)), cutout(_SIZE).convert("LA")) == 0


@_KINDS
@pytest.mark.parametrize(("bits", "alpha_bits"), [(15, 0), (16, 0), (16, 1)])
def test_five_bits_for_each_color(packed: int, bits: int, alpha_bits: int) -> None:
    """The highest of 16 bits is alpha if the header says so."""
    values = np.array([[0x7C00, 0x83E0, 0x801F, 0x4210]])

    image = converted(tga(_words(values), 2 + packed, depth=bits, alpha_bits=alpha_bits))

    assert np.asarray(image.convert("RGB"))[0].tolist() == [[255, 0, 0], [0, 255, 0], [0, 0, 255], [132, 132, 132]]
    assert alpha(image)[0].tolist() == ([0, 255, 255, 0] if alpha_bits else [255] * 4)


@_KINDS
@pytest.mark.parametrize(("bits", "color"), [(15, 0x7C00), (16, 0x7C00), (24, 0), (32, 0)])
@pytest.mark.parametrize("first_color", [0, 10])
@pytest.mark.parametrize("index_bytes", [1, 2])
def test_every_map(packed: int, bits: int, color: int, first_color: int, index_bytes: int) -> None:
    """It may begin at another index than 0; what is not in it is black."""
    colors = [struct.pack("<H", color), struct.pack("<H", 0x3E0)]
    if not color:
        colors = [bytes([0, 0, 255, 255][: bits // 8]), bytes([0, 255, 0, 255][: bits // 8])]
    indices = np.array([[first_color, first_color + 1, 200]])
    pixels = _words(indices) if index_bytes > 1 else indices.astype("u1")[..., None]

    data = tga(pixels, 1 + packed, colors=colors, first_color=first_color, map_bits=bits)

    assert _colors(data) == [[255, 0, 0], [0, 255, 0], [0, 0, 0]]


def test_a_map_with_alpha() -> None:
    """Of 32 bits."""
    data = tga(np.array([[[0], [1]]], "u1"), 1, colors=[b"\0\0\xff\x80", b"\0\xff\0\xff"], map_bits=32)

    assert alpha(converted(data))[0].tolist() == [128, 255]


@_KINDS
@pytest.mark.parametrize("kind", [2, 3])
def test_a_map_that_is_not_used_is_skipped(packed: int, kind: int) -> None:
    """Some programs store one with every image."""
    pixels = _bgr() if kind == 2 else _bgr()[..., :1]

    image = converted(tga(pixels, kind + packed, colors=[b"\1\2"] * 16, map_bits=15))

    assert difference(image, photo(_SIZE) if kind == 2 else photo(_SIZE).getchannel("B")) == 0


@pytest.mark.parametrize(("attributes", "expected"), [(None, 64), (0, 255), (1, 255), (2, 64), (3, 64), (4, 64)])
def test_what_alpha_means(attributes: int | None, expected: int) -> None:
    """By the attributes in the extension area."""
    pixels = np.full((2, 2, 4), 64, "u1")

    image = converted(tga(pixels, alpha_bits=8, attributes=attributes)).convert("RGBA")

    assert image.getpixel((0, 0)) == ((255,) * 3 if attributes == 4 else (64,) * 3) + (expected,)


def test_alpha_that_the_header_does_not_announce() -> None:
    """It counts, unless all of it is 0."""
    assert (alpha(converted(tga(np.full((2, 2, 4), 64, "u1")))) == 64).all()
    assert (alpha(converted(tga(np.zeros((2, 2, 4), "u1"), alpha_bits=8))) == 255).all()


def test_a_last_packet_that_is_too_long() -> None:
    """What exceeds the image is ignored."""
    data = tga(np.full((1, 3, 3), 9, "u1"), 10)

    assert _colors(data[:18] + b"\xff\1\2\3") == [[3, 2, 1]] * 3
    assert _colors(data[:18] + b"\4" + bytes([3, 2, 1] * 5)) == [[1, 2, 3]] * 3


@_KINDS
def test_rows_that_are_missing(packed: int) -> None:
    """They are the upper ones, and black."""
    pixels = np.random.default_rng(1).integers(1, 255, (100, 64, 3), "u1")
    data = tga(pixels, 2 + packed)

    made = result(data[: -len(data) // 5], 100)

    assert made.warning.startswith("The file is cut off: 2")


@_KINDS
def test_a_file_without_pixels_is_refused_before_memory_is_taken(packed: int) -> None:
    """However large its header says it is."""
    data = bytearray(tga(_bgr(), 2 + packed)[:60])
    data[12:16] = struct.pack("<HH", 9000, 9000)

    with pytest.raises(Exception, match="The TGA file is broken: it is cut off after 0% of the image"):
        outcomes(bytes(data), target())


@pytest.mark.parametrize(
    "head",
    [
        tga(_bgr(), 1),  # without a map
        tga(_bgr(), 3),
        tga(_bgr(), 2, depth=8),
        tga(_bgr(), 2, colors=[b"\1"], map_bits=8),
        tga(_bgr(), 4),
        tga(_bgr(), 2, alpha_bits=9),
        tga(_bgr(), 2, first_color=1),
        tga(np.zeros((0, 1, 3), "u1")),
    ],
)
def test_inconsistent_headers_are_none(head: bytes) -> None:
    """A TGA has nothing else that it is recognized by."""
    assert identify(head[:32]) is None
