"""The format option `variants`: the same image in smaller file types, as the sandbox returns it."""

import pytest
from PIL import Image

from imageconverter.engine.target import Output, VariantType
from tests.testing import drawings, image_files
from tests.testing.image_assertions import opened, psnr, result

BOTH: tuple[VariantType, ...] = ("avif", "webp")
PHOTO = image_files.jpeg(image=drawings.photo((640, 480)))


def variants(data: bytes, side: int = 320, **fields: object) -> dict[VariantType, Image.Image]:
    """Return the variants of the output, opened; each is smaller."""
    made = result(data, side, **{"variants": BOTH, **fields})
    assert all(len(each.data) < len(made.data) for each in made.variants)
    return {each.output: opened(each.data) for each in made.variants}


def test_variants_show_the_same_image() -> None:
    """In their own file types, with the size of the output."""
    found = variants(PHOTO, output="jpeg")
    output = opened(result(PHOTO, 320, output="jpeg").data)

    assert {each: image.format for each, image in found.items()} == {"avif": "AVIF", "webp": "WEBP"}
    for image in found.values():
        assert image.size == output.size
        assert psnr(image.convert("RGB"), output.convert("RGB")) > 30


def test_only_what_is_wanted_is_made() -> None:
    """None by default."""
    assert variants(PHOTO, variants=()) == {}
    assert variants(PHOTO, variants=("avif",)).keys() == {"avif"}


@pytest.mark.parametrize(("output", "mode"), [("jpeg", "RGB"), ("png", "RGBA")])
def test_variants_are_as_transparent_as_the_output(output: Output, mode: str) -> None:
    """A JPEG has been laid on its background, and so are its variants."""
    data = image_files.png(image=drawings.cutout((320, 240), softness=20))

    assert {image.mode for image in variants(data, output=output, background="#3366cc").values()} == {mode}


@pytest.mark.parametrize(("output", "frames"), [("gif", 3), ("jpeg", 1)])
def test_variants_move_if_the_output_does(output: Output, frames: int) -> None:
    """With all frames."""
    data = image_files.animated_gif((320, 240), frames=3)

    found = variants(data, output=output)
    assert found
    assert {getattr(image, "n_frames", 1) for image in found.values()} == {frames}


def test_a_variant_that_is_not_smaller_is_not_kept() -> None:
    """A few pixels take less as PNG than the boxes of an AVIF."""
    assert variants(image_files.png((2, 2)), output="png").keys() <= {"webp"}


def test_a_source_that_stays_what_it_is_has_no_variant_of_its_own_type() -> None:
    """With the output `keep`."""
    data = image_files.webp(image=drawings.photo((640, 480)))
    assert variants(data, output="keep").keys() <= {"avif"}


def test_a_variant_that_cannot_be_made_is_left_out() -> None:
    """A WebP has at most 16,383 pixels a side."""
    data = image_files.png(image=Image.linear_gradient("L").convert("RGB").resize((16_384, 2)))
    made = result(data, 16_384, output="jpeg", variants=["webp"])

    assert (made.size, made.variants, made.warning) == ((16_384, 2), (), "")
