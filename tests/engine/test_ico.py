"""Icons and cursors: which image, depths, masks and alpha, PNG inside."""

import io

import numpy as np
import pytest
from PIL import Image

from imageconverter.engine import identify
from tests.testing import image_files
from tests.testing.bmp_files import BITFIELDS
from tests.testing.drawings import cutout, photo
from tests.testing.ico_files import Samples, bitmap, ico
from tests.testing.image_assertions import alpha, converted, difference, outcomes, result, target

_SIZE = (37, 23)
_RGB = np.asarray(photo(_SIZE)).astype("u4")
_PIXELS = _RGB[..., 0] << 16 | _RGB[..., 1] << 8 | _RGB[..., 2]
_COLORS = [(200, 0, 0), (0, 150, 0), (0, 0, 100), (250, 240, 230)]
_MASK = np.arange(37) < np.full((23, 1), 15)


def _flat(side: int, color: int, bits: int = 24) -> bytes:
    return bitmap(np.full((side, side), color), bits, palette=[(color, 0, 0)] * (bits == 8))


@pytest.mark.parametrize("cursor", [False, True])
@pytest.mark.parametrize("bits", [1, 4, 8, 24])
@pytest.mark.parametrize("header", [12, 40, 124])
def test_a_mask_makes_pixels_transparent(bits: int, header: int, *, cursor: bool) -> None:
    """In every depth without alpha."""
    pixels = np.arange(37) // 9 % 2 + np.zeros((23, 1), int) if bits < 24 else _PIXELS
    palette = _COLORS[:2] + [(9, 9, 9)] * ((1 << bits) - 2) if bits < 24 else []
    image = bitmap(pixels, bits, _MASK, header=header, palette=palette)

    made = converted(ico(image, cursor=cursor)).convert("RGBA")

    assert (alpha(made) == np.where(_MASK, 0, 255)).all()
    expected: Samples = np.array(_COLORS)[pixels] if bits < 24 else _RGB
    assert (np.asarray(made)[..., :3] == expected)[~_MASK].all()


def test_alpha_of_32_bits() -> None:
    """The mask does not count then."""
    rgba = np.asarray(cutout(_SIZE)).astype("u4")
    pixels = rgba[..., 3] << 24 | rgba[..., 0] << 16 | rgba[..., 1] << 8 | rgba[..., 2]

    assert difference(converted(ico(bitmap(pixels, 32, _MASK))), cutout(_SIZE)) == 0


def test_alpha_of_0_everywhere_leaves_it_to_the_mask() -> None:
    """Programs of the time before alpha write it so."""
    made = converted(ico(bitmap(_PIXELS, 32, _MASK)))

    assert (alpha(made) == np.where(_MASK, 0, 255)).all()


def test_16_bits_and_masks_of_colors() -> None:
    """With alpha, and without."""
    values = np.array([[0xFC00, 0x801F], [0x03E0, 0x8000]])
    plain, masked = (
        bitmap(values, 16),
        bitmap(values, 16, compression=BITFIELDS, header=56, masks=(0x7C00, 0x3E0, 0x1F, 0x8000)),
    )

    assert np.asarray(converted(ico(plain)).convert("RGB"))[0].tolist() == [[255, 0, 0], [0, 0, 255]]
    assert alpha(converted(ico(masked))).tolist() == [[255, 255], [0, 255]]


def test_a_mask_that_is_cut_off_does_not_count() -> None:
    """The pixels are there."""
    data = ico(bitmap(_PIXELS, 24, _MASK))

    assert difference(converted(data[:-20]), photo(_SIZE)) == 0


def test_a_png_inside() -> None:
    """Larger than the directory can say, and with a palette and a transparent color."""
    image = Image.new("P", (300, 300), 1)
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.paste(0, (0, 0, 150, 300))
    stored = io.BytesIO()
    image.save(stored, "PNG", transparency=1)

    made = converted(ico(_flat(64, 1), stored.getvalue()), 300)

    assert made.size == (300, 300)
    assert alpha(made)[0, ::299].tolist() == [255, 0]
    assert converted(ico(image_files.png(_SIZE), listed=[(0, 0)])).size == _SIZE


def test_the_largest_image_and_of_those_the_one_of_most_colors() -> None:
    """By their own headers, whatever the directory says; of equal ones the first."""
    images = [_flat(8, 9), _flat(16, 1, 8), _flat(16, 2), _flat(16, 3), image_files.png((9, 9))]

    made = converted(ico(*images, listed=[(255, 255), (3, 3), (3, 3), (3, 3), (0, 0)]))

    assert made.size == (16, 16)
    assert made.convert("RGB").getpixel((0, 0)) == (0, 0, 2)


def test_images_that_are_not_there_do_not_count() -> None:
    """As long as one is."""
    data = bytearray(ico(_flat(16, 1), _flat(8, 2)))
    data[18:22] = b"\xff\xff\xff\x7f"

    assert converted(bytes(data)).size == (8, 8)


def test_rows_that_are_missing() -> None:
    """They are the upper ones."""
    data = ico(bitmap(_PIXELS, 24))

    assert result(data[: 22 + 40 + 17 * 112], 64).warning == "The file is cut off: 26 % of the image are missing."


@pytest.mark.parametrize("data", [ico(_flat(8, 1))[:24], ico(b"\0" * 64), ico(b"\x89PNG\r\n\x1a\n")])
def test_an_icon_without_an_image_is_broken(data: bytes) -> None:
    """It is refused by its header."""
    with pytest.raises(Exception, match="The ICO file is broken"):
        outcomes(data, target())


@pytest.mark.parametrize("head", [b"\0\0\3\0\1\0", b"\0\0\2\0\0\0", b"\1\0\1\0\1\0", b"\0\0\1\0"])
def test_what_is_no_icon(head: bytes) -> None:
    """Another kind, no image, another file."""
    assert identify(head) is None
