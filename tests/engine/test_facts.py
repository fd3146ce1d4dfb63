"""The facts of an image, beside independent readers: the ThumbHash of its author's crate, and `ImageHash`."""

import base64
import io
from collections.abc import Callable

import imagehash
import numpy as np
import pytest
from PIL import Image
from skimage import data as photographs

from imageconverter.engine.facts import Facts
from tests.testing import image_assertions, image_files


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _facts(data: bytes) -> Facts:
    assert image_assertions.sandbox is not None
    return image_assertions.sandbox.facts(data)


def _photograph(size: tuple[int, int]) -> Image.Image:
    return Image.fromarray(photographs.astronaut()).resize(size, Image.Resampling.LANCZOS)


def _cutout(size: tuple[int, int]) -> Image.Image:
    image = _photograph(size)
    image.putalpha(image.convert("L").transpose(Image.Transpose.ROTATE_180))
    return image


def _expected_thumb_hash(image: Image.Image) -> str:
    crate = pytest.importorskip("fast_thumbhash", reason="there are no wheels for this Python or processor")
    rgba = image.convert("RGBA")
    return base64.b64encode(bytes(crate.rgba_to_thumb_hash(*rgba.size, rgba.tobytes()))).decode()


@pytest.mark.parametrize(
    "image",
    [
        _photograph((100, 75)),
        _photograph((40, 90)),
        _photograph((64, 64)).convert("L"),
        _cutout((90, 60)),
    ],
    ids=["wide", "tall", "gray", "transparent"],
)
def test_the_thumb_hash_is_that_of_an_independent_encoder(image: Image.Image) -> None:
    """Of images that need not be made smaller, so that nothing else is compared."""
    assert _facts(_png(image)).thumb_hash == _expected_thumb_hash(image)


def test_the_thumb_hash_of_a_flat_image_has_its_color() -> None:
    """What follows the header is noise, whose scale is 0."""
    image = Image.new("RGB", (20, 20), (201, 100, 50))
    mine, other = (base64.b64decode(each) for each in (_facts(_png(image)).thumb_hash, _expected_thumb_hash(image)))
    assert mine[:5] == other[:5]


@pytest.mark.parametrize("size", [(100, 75), (60, 100), (32, 32)])
def test_the_perceptual_hash_is_that_of_an_independent_reader(size: tuple[int, int]) -> None:
    """Likewise."""
    image = _photograph(size)
    assert _facts(_png(image)).perceptual_hash == str(imagehash.phash(image))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_facts_are_those_of_the_upright_image(orientation: int) -> None:
    """Whichever way it is stored."""
    upright = _photograph((100, 60))
    assert _facts(image_files.png(image=upright, orientation=orientation)) == _facts(_png(upright))


def test_a_large_photograph_has_the_hashes_of_a_small_copy() -> None:
    """Nearly: it is decoded at a smaller scale."""
    large = Image.fromarray(photographs.coffee()).resize((2400, 1600), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    large.save(buffer, "JPEG", quality=90)
    found, small = _facts(buffer.getvalue()), large.resize((100, 67), Image.Resampling.LANCZOS)
    mine, other = (int(each, 16) for each in (found.perceptual_hash, str(imagehash.phash(small))))

    assert (found.width, found.height) == (2400, 1600)
    assert (mine ^ other).bit_count() <= 2
    assert base64.b64decode(found.thumb_hash)[:5] == base64.b64decode(_expected_thumb_hash(small))[:5]


def test_one_transparent_pixel_is_enough_for_alpha() -> None:
    """But an alpha channel is not: everything in it may be opaque."""
    image = Image.new("RGBA", (800, 600), (10, 200, 30, 255))
    assert not _facts(_png(image)).alpha
    image.putpixel((799, 599), (0, 0, 0, 254))
    assert _facts(_png(image)).alpha
    assert _facts(image_files.transparent_png(kind="palette")).alpha


@pytest.mark.parametrize(
    "make", [image_files.animated_gif, image_files.animated_png, image_files.animated_webp, image_files.animated_avif]
)
def test_the_frames_of_an_animation_are_counted(make: Callable[..., bytes]) -> None:
    """The pages of a document are none."""
    assert _facts(make(frames=4)).frames == 4
    assert _facts(image_files.paged_tiff(pages=3)).frames == 1
    assert _facts(image_files.gif()).frames == 1


def test_an_image_without_contrast_has_no_perceptual_hash() -> None:
    """Noise would decide on its bits."""
    noise = np.random.default_rng(1).integers(250, 255, (80, 80, 3), np.uint8)
    assert _facts(_png(Image.fromarray(noise))).perceptual_hash == ""
    assert _facts(_png(Image.new("L", (1, 1), 7))).perceptual_hash == ""


def test_the_dominant_color_is_that_of_most_pixels() -> None:
    """Not the mean of all."""
    image = Image.new("RGB", (300, 300), (250, 10, 20))
    image.paste((0, 0, 255), (0, 0, 300, 120))
    assert _facts(_png(image)).dominant_color == "#fa0a14"
