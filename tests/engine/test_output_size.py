"""An output is not larger than its source, if it is of the same type and has no more pixels."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imageconverter.engine.few_colors import compact
from tests.testing import icc_profiles, image_files
from tests.testing.drawings import photo
from tests.testing.image_assertions import difference, encoded, opened, result

_SIZE = (320, 240)


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _turned(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Save *image* so that its data cannot be kept."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return _saved(image, kind, exif=exif, **options)


@pytest.mark.parametrize("side", [320, 300])
@pytest.mark.parametrize(
    ("kind", "quality"), [("JPEG", 30), ("JPEG", 60), ("JPEG", 75), ("WEBP", 60), ("WEBP", 75), ("AVIF", 65)]
)
def test_the_quality_falls_to_that_of_the_source(kind: str, quality: int, side: int) -> None:
    """If the image is turned or shrunken a little: for JPEG as its tables say, for the others not below 50."""
    data = _turned(photo(_SIZE), kind, quality=quality)
    made = result(data, side, output="keep")

    assert len(made.data) <= len(data)
    assert len(result(data, side, output="keep", reencode=True).data) > len(made.data)


def test_the_quality_does_not_fall_below_the_floor() -> None:
    """A WebP that is coded with less is larger afterwards, but no worse than quality 50 makes it."""
    data = _turned(photo(_SIZE), "WEBP", quality=10)
    upright = opened(data).transpose(Image.Transpose.ROTATE_270)

    made = result(data, 320, output="keep")

    assert len(made.data) > len(data)
    assert made.data == encoded(upright, "webp", quality=50)


@pytest.mark.parametrize("fields", [{"output": "webp", "lossless": True}, {"output": "png"}, {"output": "jpeg"}])
def test_another_type_may_be_larger(fields: dict[str, Any]) -> None:
    """The source says nothing about it."""
    data = _saved(photo(_SIZE), "WEBP", quality=10)

    assert len(result(data, 320, **fields).data) > len(data)


def test_an_enlarged_image_may_be_larger() -> None:
    """It has more pixels."""
    data = _saved(photo((160, 120)), "JPEG", quality=50)

    assert len(result(data, 320, output="keep", upscale=True).data) > len(data)


@pytest.mark.parametrize("colors", [2, 16, 256])
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_palette_stays_one(colors: int, orientation: int) -> None:
    """Also if its colors change or the image is turned: every pixel is the same as without it."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = photo(_SIZE).quantize(colors)
    for profile in (None, icc_profiles.p3_profile()):
        data = _saved(image, "PNG", optimize=True, exif=exif, icc_profile=profile)
        made = result(data, 320, output="keep")

        with Image.open(io.BytesIO(made.data)) as read:
            assert read.mode == "P"
        assert len(made.data) <= len(data) * 1.25
        if profile is None and orientation == 1:
            assert opened(made.data).tobytes() == image.convert("RGB").tobytes()


def test_a_gray_image_stays_gray_whatever_it_came_in() -> None:
    """256 grays need no palette."""
    data = _saved(photo(_SIZE).convert("L").convert("RGB"), "BMP")

    with Image.open(io.BytesIO(result(data, 320).data)) as read:
        assert read.mode == "L"
        assert read.tobytes() == photo(_SIZE).convert("L").tobytes()


_PIXELS = {
    "two": [[0, 0, 0, 255], [255, 255, 255, 255]],
    "colors": [[9, 8, 7, 255], [7, 8, 9, 255], [1, 2, 3, 255]],
    "half transparent": [[9, 8, 7, 255], [9, 8, 7, 100], [9, 8, 7, 0], [0, 0, 0, 0]],
    "grays": [[level, level, level, 255] for level in range(20)],
    "transparent grays": [[level, level, level, 255 - level] for level in range(20)],
    "as many as go": [[level, 255 - level, 0, level] for level in range(256)],
    "too many": [[level % 256, level // 256, 0, 255] for level in range(257)],
}


@pytest.mark.parametrize("name", _PIXELS)
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_every_pixel_of_a_compact_image_is_equal(name: str, mode: str) -> None:
    """In all modes, transparent or not, also of what is hidden."""
    levels = np.resize(np.array(_PIXELS[name], np.uint8), (4, 257, 4))
    image = Image.fromarray(levels, "RGBA").convert(mode)
    made = compact(image)
    read = opened_as(mode, encoded(image, "png"))

    assert read.tobytes() == image.tobytes()
    if image.getcolors(256) is None or mode == "LA":
        assert made.image is image
    else:
        assert made.image.mode in (("1", "L") if mode == "L" else ("L", "P"))


def opened_as(mode: str, data: bytes) -> Image.Image:
    """Decode *data* to *mode*; all of Pillow's conversions to it are exact for these images."""
    with Image.open(io.BytesIO(data)) as image:
        return image.convert("RGBA").convert(mode)


def test_a_photograph_is_not_made_compact() -> None:
    """It has more colors."""
    image = photo(_SIZE)

    assert compact(image).image is image
    assert difference(opened(encoded(image, "png")), image) == 0


def test_what_was_compressed_better_is_compressed_better_again() -> None:
    """A PNG that is turned, with more colors than a palette has."""
    rows = np.add.outer(np.arange(240), np.arange(320))
    image = Image.fromarray(np.stack([rows % 256, rows // 2 % 256, rows * 3 % 256], -1).astype(np.uint8))
    data = _turned(image, "PNG", compress_level=9)

    assert len(result(data, 320, output="keep").data) <= len(result(data, 320, output="keep", reencode=True).data)


def test_a_file_that_is_cut_off_does_not_limit_its_output() -> None:
    """It is small for another reason."""
    data = image_files.jpeg(_SIZE, quality=82)
    cut = data[: len(data) * 6 // 10]

    assert result(cut, 320, output="keep").data == result(cut, 320, output="keep", reencode=True).data
