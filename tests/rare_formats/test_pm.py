"""PM: both orders of bytes, planes of bytes, packed integers, and everything else refused with its reason."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from rare_formats import pm as reader

_BYTE, _SHORT, _INTEGER, _FLOAT = 0x8001, 0x8002, 0x8004, 0xC004
_PLANES = np.random.default_rng(2).integers(256, size=(4, 3, 5), dtype="u1")


def _pm(
    data: bytes,
    planes: int = 1,
    form: int = _BYTE,
    *,
    rows: int = 3,
    columns: int = 5,
    bands: int = 1,
    order: str = ">",
) -> bytes:
    comment = b"made by hand\0"
    head = struct.pack(f"{order}7I", 0x56494557, planes, rows, columns, bands, form, len(comment))
    return head + data + comment


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=[reader.PmImageFile.format])


@pytest.mark.parametrize("order", [">", "<"])
@pytest.mark.parametrize(("planes", "mode"), [(1, "L"), (3, "RGB"), (4, "RGB")])
def test_planes_of_bytes_are_gray_or_colors(order: str, planes: int, mode: str) -> None:
    """One plane after another, rows from the top; a fourth one is ignored, because it is not a reliable alpha."""
    image = _opened(_pm(_PLANES[:planes].tobytes(), planes, order=order))

    assert (image.mode, image.size, image.info) == (mode, (5, 3), {})
    expected = _PLANES[0] if planes == 1 else np.moveaxis(_PLANES[:3], 0, -1)
    assert np.array_equal(np.asarray(image), expected)


@pytest.mark.parametrize("order", [">", "<"])
def test_an_integer_holds_red_in_its_lowest_byte(order: str) -> None:
    """In the byte order of the file, not of the machine."""
    red, green, blue, alpha = _PLANES.astype("u4")
    data = (red | green << 8 | blue << 16 | alpha << 24).astype(f"{order}u4").tobytes()

    image = _opened(_pm(data, form=_INTEGER, order=order))

    assert image.mode == "RGB"
    assert np.array_equal(np.asarray(image), np.moveaxis(_PLANES[:3], 0, -1))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (_pm(bytes(30), form=_SHORT), "form 0x8002 with 1 planes"),
        (_pm(bytes(60), form=_FLOAT), "form 0xc004"),
        (_pm(bytes(30), 2), "with 2 planes"),
        (_pm(bytes(180), 3, _INTEGER), "with 3 planes"),
        (_pm(bytes(30), bands=2), "2 bands"),
        (_pm(bytes(15), rows=0), "empty"),
        (_pm(bytes(15), planes=0), "empty"),
        (_pm(bytes(15), columns=0x8000_0000), "empty"),
        (_pm(bytes(15), rows=0x7FFF_FFFF, columns=0x7FFF_FFFF), "truncated"),
        (_pm(bytes(15), rows=6), "truncated"),
        (_pm(bytes(15))[:20], "requires a buffer"),
    ],
)
def test_unsupported_images_are_refused(data: bytes, reason: str) -> None:
    """With a reason, and before memory is allocated."""
    with pytest.raises((ValueError, SyntaxError), match=reason):
        reader.PmImageFile(io.BytesIO(data))
