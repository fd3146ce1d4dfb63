"""JPEG 2000: what is broken, cut off, hostile or not supported."""

import io
import struct
import time

import numpy as np
import pytest
from PIL import Image

from imageconverter.engine.decode import load, open_image
from imageconverter.engine.header import check_header
from imageconverter.engine.jp2 import read_size, unsupported
from imageconverter.engine.limits import Limits
from imageconverter.errors import ImageError, Undecodable, Unsupported
from tests.testing import drawings
from tests.testing.image_assertions import converted, difference, opened, result
from tests.testing.j2k_encoder import Samples, encode
from tests.testing.jp2_files import SIGNATURE, box, channels, codestream, color, jp2, mapping, palette

_SIZE = (256, 192)


def _photo() -> Image.Image:
    return drawings.photo(_SIZE)


@pytest.mark.parametrize("bare", [False, True])
def test_missing_tiles_are_a_warning(bare: bool) -> None:  # noqa: FBT001
    """Up to half of the image, with the share that is missing."""
    stream = codestream(_photo(), tile=64)
    data = stream if bare else jp2(stream, color(16))
    made = result(data[: len(data) * 8 // 10], 256)

    assert made.warning in (f"The file is cut off: {share} % of the image are missing." for share in range(10, 30))
    top = (0, 0, 256, 128)
    assert difference(opened(made.data).crop(top), _photo().crop(top)) == 0
    with pytest.raises(Undecodable, match="cut off"):
        result(data[: len(data) * 3 // 10])


def test_missing_detail_is_a_warning() -> None:
    """Of an image of one tile, all of which is there, but coarse."""
    stream = codestream(_photo())
    made = result(stream[: len(stream) * 8 // 10], 256)

    assert "% of the image's detail is missing" in made.warning
    assert difference(opened(made.data), _photo()) < 25


def test_a_missing_end_is_a_warning() -> None:
    """The marker itself says nothing of the image."""
    made = result(codestream(_photo())[:-2], 256)

    assert difference(opened(made.data), _photo()) == 0


@pytest.mark.parametrize(
    "junk",
    [
        box(b"cdef", b"\0"), box(b"cdef", b"\0\x03", bytes(40)), channels((7, 0, 1), (0, 0, 9), (1, 1, 5)),
        box(b"pclr", b"\0"), box(b"pclr", b"\xff\xff\xff\7"), mapping((9, 1, 1)), box(b"cmap", b"\0\0\1"),
        box(b"colr"), box(b"colr", b"\2\0\0junk"), box(b"res ", b"?"), box(b"uuid", b"?"),
        struct.pack(">I4s", 3, b"xml "),
    ],
)  # fmt: skip
def test_broken_boxes_are_ignored(junk: bytes) -> None:
    """Wherever they are."""
    data = jp2(codestream(_photo()), color(16), junk, after=box(b"xml ", b"<") + b"\0\0\1\0uuid")

    assert difference(converted(data, 256), _photo()) == 0


def test_the_code_stream_is_found_behind_a_broken_box() -> None:
    """By its first markers."""
    data = jp2(codestream(_photo()))
    broken = data.replace(b"jp2h", b"jp2h\xff", 1)

    assert read_size(io.BytesIO(broken)) == _SIZE
    assert difference(converted(broken, 256), _photo()) == 0


@pytest.mark.parametrize("length", [2**64 - 1, 2**63, 2**31])
def test_a_code_stream_in_a_box_of_any_length_is_read(length: int) -> None:
    """Also one that is longer than any file can be."""
    stream = codestream(_photo())
    data = jp2(stream).replace(box(b"jp2c", stream), struct.pack(">I4sQ", 1, b"jp2c", length) + stream)

    assert difference(converted(data, 256), _photo()) == 0


def test_a_palette_without_entries_is_ignored() -> None:
    """As is a mapping that is missing or leaves columns out: they are taken in order."""
    indices = encode(Samples(np.ones((32, 32)), 1))
    table = palette([(255, 0, 0), (0, 255, 0)])

    one_column = mapping((0, 1, 0), (0, 0, 0), (0, 0, 0))
    assert converted(jp2(indices, color(16), table)).convert("RGB").getpixel((9, 9)) == (0, 255, 0)
    assert converted(jp2(indices, color(16), table, one_column)).convert("RGB").getpixel((9, 9)) == (0, 255, 0)
    assert converted(jp2(indices, color(17), box(b"pclr", b"\0\0\3\7\7\7"))).convert("L").getpixel((9, 9)) == 255


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (SIGNATURE + box(b"ftyp", b"mjp2", bytes(4)), "Motion JPEG 2000"),
        (SIGNATURE + box(b"ftyp", b"jpm ", bytes(4)), "JPM, a compound image"),
        (SIGNATURE + box(b"ftyp", b"jpx ", bytes(4)) + box(b"ftbl", bytes(8)), "JPEG 2000 in fragments"),
    ],
)
def test_other_variants_are_not_supported(data: bytes, name: str) -> None:
    """The header says so already."""
    assert unsupported(io.BytesIO(data)) == name


def test_too_many_samples_are_not_supported() -> None:
    """Many components of a large image take much memory, those of a small one do not."""
    stream = bytearray(encode(*[Samples(np.full((32, 32), 77))] * 300))
    assert converted(bytes(stream)).convert("RGB").getpixel((9, 9)) == (77, 77, 77)
    struct.pack_into(">II", stream, 8, 8000, 8000)

    with pytest.raises(Unsupported, match="300 components"):
        check_header(io.BytesIO(bytes(stream)), Limits())


def test_the_extents_are_those_of_the_finest_component() -> None:
    """The image need not begin at the origin of the reference grid."""
    coarse = encode(Samples(np.zeros((32, 64)), dx=2, dy=2), Samples(np.zeros((32, 64)), dx=2, dy=2))

    assert read_size(io.BytesIO(coarse)) == (64, 32)
    assert read_size(io.BytesIO(encode(Samples(np.zeros((32, 64))), offset=(5, 3)))) == (64, 32)


def test_tiles_that_cannot_be_there_cost_no_memory() -> None:
    """A header announces more of them than the file has bytes for."""
    stream = bytearray(encode(Samples(np.zeros((32, 64)))))
    struct.pack_into(">IIIIIIII", stream, 8, 8000, 8000, 0, 0, 32, 32, 0, 0)
    image, info = open_image(io.BytesIO(bytes(stream)), Limits())

    with pytest.raises(Undecodable, match="most of it is missing"):
        load(image, info, at_least=(10, 10))


@pytest.mark.parametrize(
    ("style", "division", "reason"),
    [
        (1, bytes([5, 4, 4, 0, 1, *([0x11] * 6)]), "most of it is missing"),
        (0, bytes([5, 0, 0, 0, 1]), "memory"),
    ],
    ids=["precincts", "code blocks"],
)
def test_parts_that_cannot_be_there_cost_no_memory(style: int, division: bytes, reason: str) -> None:
    """A header divides the image into more precincts or code blocks than the file or the memory can have."""
    stream = bytearray(encode(Samples(np.zeros((32, 64)))))
    struct.pack_into(">IIIIIIII", stream, 8, 3_000_000, 32, 0, 0, 3_000_000, 32, 0, 0)
    at = stream.index(b"\xff\x52")
    old = int.from_bytes(stream[at + 2 : at + 4], "big")
    coding = bytes([style]) + bytes(stream[at + 5 : at + 9]) + division
    stream[at + 2 : at + 2 + old] = struct.pack(">H", 2 + len(coding)) + coding
    began = time.process_time()
    image, info = open_image(io.BytesIO(bytes(stream)), Limits())

    with pytest.raises(ImageError, match=reason):
        load(image, info, at_least=(3_000_000, 32))
    assert time.process_time() - began < 1


@pytest.mark.parametrize("kind", [b"jp2h", b"xml "])
def test_many_boxes_take_little_time(kind: bytes) -> None:
    """Nested, or one after the other."""
    nested = b"".join(struct.pack(">I4s", 8_000_000 - 8 * depth, kind) for depth in range(100_000))
    began = time.process_time()
    for data in (SIGNATURE + nested, SIGNATURE + struct.pack(">I4s", 8, kind) * 1_000_000):
        assert read_size(io.BytesIO(data)) == (0, 0)
        assert unsupported(io.BytesIO(data)) == ""

    assert time.process_time() - began < 1
