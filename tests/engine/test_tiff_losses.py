"""TIFF: files that are cut off, broken, hostile, or of variants that nothing here reads."""

import struct
import time
from contextlib import suppress

import imagecodecs
import numpy as np
import pytest

from imageconverter.engine import Limits, probe
from imageconverter.engine.plugins.tiff import codecs
from imageconverter.engine.plugins.tiff.layout import LZW
from imageconverter.errors import ImageError, ImageTooLarge, Undecodable, Unsupported
from tests.testing import tiff_files
from tests.testing.image_assertions import converted, outcomes, result, target
from tests.testing.tiff_files import BLACK, FLOAT, RGB, Values, bars, directory, tiff

_HEIGHT = 100


def cut(share: float, *, compression: int, bits: int, rows: int, planar: bool = False) -> bytes:
    """Make a TIFF of noise whose directory comes first, without the last *share* of its pixels."""
    noise = np.random.default_rng(5).integers(0, 1 << bits, (_HEIGHT, 64, 3))
    data = tiff(noise, photometric=RGB, bits=bits, compression=compression, rows=rows, planar=planar)
    return tiff_files.cut_off(data, share)


@pytest.mark.parametrize("rows", [0, 5])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("compression", [tiff_files.NONE, tiff_files.LZW, tiff_files.DEFLATE, tiff_files.PACKBITS])
def test_a_file_that_is_cut_off_is_converted_as_far_as_it_goes(compression: int, bits: int, rows: int) -> None:
    """With a warning that says how much is missing."""
    made = result(cut(0.25, compression=compression, bits=bits, rows=rows), 128)
    missing = int(made.warning.split(" % ")[0].rsplit(" ", 1)[1])

    assert made.warning.startswith("The file is cut off: ")
    assert 23 <= missing <= 32
    image = np.asarray(converted(cut(0.25, compression=compression, bits=bits, rows=rows), 128))
    whole = np.asarray(converted(cut(0, compression=compression, bits=bits, rows=rows), 128))
    assert (image[:65] == whole[:65]).all()
    assert not image[80:].any()


@pytest.mark.parametrize("compression", [tiff_files.NONE, tiff_files.LZW, tiff_files.DEFLATE])
def test_a_file_of_which_most_is_missing_is_broken(compression: int) -> None:
    """The message says how far it goes."""
    with pytest.raises(Undecodable, match="cut off after"):
        outcomes(cut(0.7, compression=compression, bits=8, rows=5), target())


def test_a_hole_is_not_missing() -> None:
    """GDAL leaves out strips of zeros."""
    samples = np.full((8, 16, 1), 200)
    made = result(tiff_files.with_hole(tiff(samples, photometric=BLACK, bits=16, rows=2)))

    assert made.warning == ""


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ({259: 34661}, "TIFF with JBIG compression"),
        ({259: 34934}, "TIFF with JPEG XR compression"),
        ({259: 12345}, "TIFF with compression 12345"),
        ({262: 32803}, "the raw data of a camera"),
        ({262: 34892}, "the raw data of a camera"),
        ({50706: b"\1\4\0\0"}, "the raw data of a camera"),
        ({262: 777}, "TIFF in color space 777"),
        ({258: [5, 6, 5]}, "TIFF with channels of different depths"),
        ({258: [48, 48, 48]}, "TIFF of 48 bits"),
        ({339: [6, 6, 6]}, "TIFF of complex numbers"),
    ],
)
def test_what_nothing_reads_is_refused_by_its_header(more: dict[int, Values], name: str) -> None:
    """At upload already."""
    with pytest.raises(Unsupported, match=name):
        probe(tiff(bars((1, 2, 3)), photometric=RGB, more=more), Limits())


@pytest.mark.parametrize("big", [False, True])
def test_too_many_pixels_are_refused_by_the_header(*, big: bool) -> None:
    """Of BigTIFF too."""
    with pytest.raises(ImageTooLarge):
        probe(tiff(bars(0), photometric=BLACK, big=big, more={256: 20_000, 257: 20_000}), Limits())


def _lying(more: dict[int, Values], *, bits: int = 16, kind: int = 1) -> bytes:
    return tiff(bars((1, 2, 3)), photometric=RGB, bits=bits, kind=kind, more=more)


_HOSTILE = {
    "a wide row": _lying({256: 100_000_000, 257: 1, 278: 1}),
    "many rows": _lying({256: 1, 257: 90_000_000, 278: 1}),
    "huge tiles": _lying({322: 2**31, 323: 2**31}),
    "tiles of a pixel": _lying({256: 9000, 257: 9000, 322: 1, 323: 1}),
    "samples": _lying({277: 65_535}),
    "many samples": _lying({256: 9000, 257: 9000, 277: 1000, 258: 32}),
    "doubles": _lying({256: 9000, 257: 9000}, bits=64, kind=FLOAT),
    "no rows": _lying({257: 0}),
    "no bits": _lying({258: 0}),
    "offsets beyond the end": tiff_files.with_strips(tiff(bars(0), photometric=BLACK), 1, offset=2**31, length=128),
    "a strip of nothing": directory({256: 9000, 257: 9000, 258: 16, 259: 5, 262: 1, 277: 1}, [b"\x80"]),
    "no palette": tiff(bars(0), photometric=tiff_files.PALETTE, bits=4),
    "a short palette": tiff(bars(9), photometric=tiff_files.PALETTE, bits=16, more={320: [1, 2, 3]}),
    "itself": b"II*\0\x08\0\0\0" + struct.pack("<H", 1) + struct.pack("<HHII", 330, 4, 1, 8) + struct.pack("<I", 8),
    "JPEG of another size": directory(
        {256: 8, 257: 8, 258: [8, 8, 8], 259: 7, 262: 2, 277: 3, 322: 8, 323: 8},
        [tiff_files.tiff(np.zeros((4000, 4000, 3), "u1"), photometric=RGB, compression=tiff_files.JPEG)[8:]],
        tiled=True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("data", _HOSTILE.values(), ids=_HOSTILE.keys())
def test_a_header_that_lies_costs_little(data: bytes) -> None:
    """Neither time nor memory; the image is refused, or shown as far as there is one."""
    began = time.monotonic()
    with suppress(ImageError):
        outcomes(data, target())

    assert time.monotonic() - began < 5


def test_damaged_lzw_crashes_nothing() -> None:
    """The decoder of imagecodecs does after some of these."""
    random = np.random.default_rng(11)
    samples = bars(*range(0, 256, 16), width=64, height=64)
    whole = tiff(samples, photometric=BLACK, bits=16, compression=tiff_files.LZW)
    for _ in range(200):
        data = bytearray(whole)
        for at in random.integers(8, len(data) // 2, 3):
            data[at] = random.integers(256)
        try:
            outcomes(bytes(data), target())
        except Undecodable as error:
            assert "crash" not in error.reason  # noqa: PT017 - what may be raised, or not


@pytest.mark.parametrize("tenths", [4, 8])
def test_all_of_lzw_that_is_there_is_decompressed(tenths: int) -> None:
    """Beside the codes of libtiff's own decompressor, which gives up what it has begun."""
    noise = np.random.default_rng(3).integers(0, 5, 20_000, dtype="u1").tobytes()
    packed = bytes(imagecodecs.lzw_encode(noise))
    begun = codecs.partial_lzw(packed[: len(packed) * tenths // 10], len(noise))

    assert codecs.partial_lzw(packed, len(noise)) == codecs.BYTES[LZW](packed, len(noise)) == noise
    assert len(noise) * (tenths - 1) // 10 < len(begun)
    assert noise.startswith(begun)


def test_one_long_strip_in_all_places_is_not_read_again_and_again() -> None:
    """100,000 strips that all are the whole file."""
    tags: dict[int, Values] = {256: 8, 257: 100_000, 258: 16, 259: 5, 262: 1, 277: 1, 278: 1}
    data = directory(tags, [bytes(2_000_000)])
    hostile = tiff_files.with_strips(data, 100_000, offset=8, length=2_000_000)
    began = time.monotonic()
    with pytest.raises(Undecodable):
        outcomes(hostile, target())

    assert time.monotonic() - began < 5


def test_a_preview_in_a_loop_ends() -> None:
    """Directories that follow each other in a circle are each read once."""
    data = bytearray(tiff(bars(7), photometric=BLACK, more={254: 1}))
    struct.pack_into("<I", data, len(data) - 4, struct.unpack_from("<I", data, 4)[0])

    assert converted(bytes(data)).size == (16, 8)
