"""Resizing: as Pillow does it, only faster."""

import numpy as np
import pytest
from cykooz_resizer import CpuExtensions
from PIL import Image

from imageconverter.engine import resize as resizing
from imageconverter.engine.resize import resize
from tests.testing import drawings
from tests.testing.image_assertions import difference, is_near, psnr

_LANCZOS = Image.Resampling.LANCZOS


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "CMYK", "LAB"])
@pytest.mark.parametrize("size", [(48, 32), (95, 64), (7, 61), (1, 1), (200, 133)])
def test_every_mode_comes_out_as_from_pillow(mode: str, size: tuple[int, int]) -> None:
    """Whether it takes the fast path or not; smaller, larger, distorted."""
    given = drawings.lab_photo() if mode == "LAB" else drawings.photo().convert(mode)
    resized = resize(given, size)

    assert resized.mode == mode
    assert resized.size == size
    assert difference(resized, given.resize(size, _LANCZOS)) < 0.6


def test_soft_transparency_comes_out_as_from_pillow() -> None:
    """Alpha and colors."""
    disc = drawings.cutout((300, 200), softness=60)
    ours, theirs = resize(disc, (90, 60)), disc.resize((90, 60), _LANCZOS)

    assert difference(ours.getchannel("A"), theirs.getchannel("A")) < 0.6
    assert difference(ours.convert("RGBa").convert("RGBA").getchannel("R"), theirs.getchannel("R")) < 3


def test_without_the_instructions_pillow_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """On processors that lack them."""

    class Slow:
        cpu_extensions = CpuExtensions.none

    monkeypatch.setattr(resizing, "_resizer", Slow)
    photo = drawings.photo()

    assert resize(photo, (48, 32)).tobytes() == photo.resize((48, 32), _LANCZOS).tobytes()


def test_nothing_but_the_pixels_comes_out() -> None:
    """Neither of the fast path nor of Pillow."""
    for image in (drawings.photo(), drawings.lab_photo()):
        image.info["comment"] = b"x"

        assert resize(image, (48, 32)).info == {}


def test_only_the_region_that_is_the_image_is_resized() -> None:
    """The rest of the last column is not part of the region."""
    photo = drawings.photo((100, 50))
    wider = Image.new("RGB", (101, 50))
    wider.paste(photo)
    wider.paste(photo.crop((99, 0, 100, 50)), (100, 0))
    expected = resize(photo, (50, 25))

    assert psnr(resize(wider, (50, 25), (0, 0, 100, 50)), expected) > 50
    assert psnr(resize(wider, (50, 25)), expected) < 40


def test_an_image_of_the_right_size_is_not_touched() -> None:
    """Not even copied."""
    photo = drawings.photo()

    assert resize(photo, photo.size) is photo
    assert resize(photo, photo.size, (0, 0, 96.0, 64.0)) is photo


def test_hidden_colors_do_not_bleed() -> None:
    """The black below the transparency is never seen, at no scale."""
    small = np.asarray(resize(drawings.cutout((300, 200)), (60, 40)))
    visible = small[small[..., 3] > 16]

    assert all(is_near(color, (200, 30, 60), 16) for color in visible[:, :3].astype(int))


@pytest.mark.parametrize("size", [(3_000_000, 2), (2, 3_000_000)])
def test_an_image_of_millions_of_pixels_in_one_direction_is_resized(size: tuple[int, int]) -> None:
    """In a moment, and without a table of weights for each of them."""
    wide = Image.new("L", size, 77)
    target = (100, 1) if size[0] > size[1] else (1, 100)

    assert set(resize(wide, target).tobytes()) == {77}


@pytest.mark.parametrize("size", [(60, 70), (97, 131), (299, 190), (20, 190), (300, 3)])
def test_large_transparent_images_shrink_in_strips(monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]) -> None:
    """With the pixels of one piece: no row is seen where two strips meet. Very few rows are made in two steps."""
    disc = drawings.cutout((300, 200), softness=60)
    whole = resize(disc, size, (1, 1, 299.5, 198.5))
    for name, value in (("_MAX_PREMULTIPLIED", 1000), ("_STRIP", 3000), ("_MIN_ROWS", 64)):
        monkeypatch.setattr(resizing, name, value)
    strips = resize(disc, size, (1, 1, 299.5, 198.5))

    # As they are seen: where nearly nothing is, rounding decides on the color.
    before, after = (np.asarray(each.convert("RGBa"), np.int16) for each in (whole, strips))
    assert np.abs(before - after).max() <= (2 if size[1] > 3 else 9)
