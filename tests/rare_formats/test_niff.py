"""NIFF: every layout of TIFF is read as Pillow reads the TIFF."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from rare_formats import niff as reader

_PAGE = Image.fromarray(np.random.default_rng(3).integers(2, size=(70, 90), dtype="u1") * 255).convert("1")


def _tiff(compression: str, order: str = "<") -> bytes:
    file = io.BytesIO()
    directory = TiffImagePlugin.ImageFileDirectory_v2(prefix=b"II" if order == "<" else b"MM")
    _PAGE.save(file, "TIFF", compression=compression, tiffinfo=directory)
    return file.getvalue()


def _tiled(order: str = "<") -> bytes:
    """Return an uncompressed page in tiles of 64 by 64 pixels."""
    padded = Image.new("1", (128, 128))
    padded.paste(_PAGE)
    corners = [(left, top) for top in (0, 64) for left in (0, 64)]
    tiles = [padded.crop((left, top, left + 64, top + 64)).tobytes() for left, top in corners]
    start = 8 + sum(map(len, tiles))
    entries = [(256, 90), (257, 70), (258, 1), (259, 1), (262, 1), (322, 64), (323, 64)]
    offsets = start + 2 + 12 * 9 + 4
    body = struct.pack(f"{order}H", 9)
    body += b"".join(struct.pack(f"{order}HHII", tag, 4, 1, value) for tag, value in entries)
    body += struct.pack(f"{order}HHII", 324, 4, 4, offsets) + struct.pack(f"{order}HHII", 325, 4, 4, offsets + 16)
    body += struct.pack(f"{order}I", 0)
    body += struct.pack(f"{order}4I", *(8 + 512 * index for index in range(4))) + struct.pack(
        f"{order}4I", *[512] * 4
    )
    head = struct.pack(f"{order}2sHI", b"II" if order == "<" else b"MM", 42, start)
    return head + b"".join(tiles) + body


def _niff(tiff: bytes) -> bytes:
    """Return the same file with NIFF's letters instead of TIFF's number."""
    return tiff[:2] + b"N1" + tiff[4:]


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=[reader.NiffImageFile.format])


@pytest.mark.parametrize(
    "tiff",
    [_tiff("raw"), _tiff("group4"), _tiff("group3"), _tiff("packbits"), _tiff("raw", ">"), _tiled(), _tiled(">")],
    ids=["strips", "G4", "G3", "PackBits", "big-endian", "tiles", "big-endian tiles"],
)
def test_a_page_is_read_exactly(tiff: bytes) -> None:
    """In strips or tiles, compressed or not, in both byte orders."""
    image = _opened(_niff(tiff))

    assert (image.mode, image.size) == ("1", (90, 70))
    assert image.tobytes() == _PAGE.tobytes()
    assert image.tobytes() == Image.open(io.BytesIO(tiff)).tobytes()


def test_the_size_is_known_before_the_pixels_are_read() -> None:
    """This file has no pixels: their offset is its end."""
    page = bytearray(_niff(_tiled()))
    at = page.index(struct.pack("<HHI", 324, 4, 4))
    page[at + 4 : at + 12] = struct.pack("<II", 1, len(page))

    image = _opened(bytes(page))

    assert image.size == (90, 70)
    with pytest.raises(OSError, match="truncated"):
        image.load()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("length", [0, 4, 8, 40, 200])
def test_a_truncated_file_is_refused(length: int) -> None:
    """Without an endless loop."""
    with pytest.raises((OSError, SyntaxError, ValueError, TypeError, KeyError)):
        reader.NiffImageFile(io.BytesIO(_niff(_tiff("raw"))[:length])).load()


def test_a_tiff_is_not_a_niff() -> None:
    """Pillow's own plugin reads it."""
    with pytest.raises(OSError, match="cannot identify"):
        _opened(_tiff("raw"))
