"""Scaled decoding, and outputs that are made from others, lose nothing."""

import pytest
from PIL import Image

from imageconverter.engine.geometry import Size
from tests.testing import drawings, icc_profiles, image_files
from tests.testing.image_assertions import converted, opened, psnr, results, target

_LANCZOS = Image.Resampling.LANCZOS


@pytest.mark.parametrize("size", [(1001, 667), (1015, 679), (777, 1033)])
@pytest.mark.parametrize("side", [60, 100, 200, 333])
def test_a_scaled_decode_loses_nothing(size: Size, side: int) -> None:
    """It neither blurs nor shifts against a full decode with one Lanczos step."""
    data = image_files.jpeg(size=size, quality=95)
    image = converted(data, side)

    assert psnr(image, opened(data).resize(image.size, _LANCZOS)) > 46


@pytest.mark.parametrize("orientation", [3, 6])
def test_a_scaled_decode_loses_nothing_when_it_is_turned(orientation: int) -> None:
    """The fraction of a column is cut off on the right side."""
    photo = drawings.photo((1001, 667))
    image = converted(image_files.jpeg(image=photo, orientation=orientation, quality=97), 80)

    assert psnr(image, photo.resize(image.size, _LANCZOS)) > 42


def test_outputs_made_from_outputs_are_as_good_as_direct_ones() -> None:
    """The smaller ones come from the larger ones."""
    photo = drawings.photo((900, 600))
    sides = (450, 430, 360, 288, 200, 64)
    made = results(image_files.png(image=photo), *(target(side) for side in sides))

    for each in made:
        assert psnr(opened(each.data), photo.resize(each.size, _LANCZOS)) > 44


@pytest.mark.parametrize("profile", [b"", icc_profiles.p3_profile()])
def test_one_output_is_the_same_alone_and_among_others(profile: bytes) -> None:
    """To the eye."""
    data = image_files.jpeg(size=(800, 600), profile=profile, orientation=8)
    alone = converted(data, 100)
    among = opened(results(data, target(700), target(100), target(90, fit="crop"))[1].data)

    assert psnr(alone, among) > 40
