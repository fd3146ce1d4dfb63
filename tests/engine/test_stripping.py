"""Outputs have no metadata and no profile."""

from collections.abc import Callable
from typing import get_args

import pytest

from imageconverter.engine import OutputType
from tests.testing import icc_profiles, image_files
from tests.testing.image_assertions import opened, results, target

_OUTPUTS: tuple[OutputType, ...] = get_args(OutputType)


@pytest.mark.parametrize(
    "make", [image_files.jpeg, image_files.png, image_files.webp, image_files.avif, image_files.tiff, image_files.gif]
)
@pytest.mark.parametrize("side", [96, 48])
def test_nothing_but_the_image_comes_out(make: Callable[..., bytes], side: int) -> None:
    """No place, no comment, no profile, whether the image had to be resized or not."""
    data = make(metadata=True)
    orders = [target(side, output=output, fit=fit) for output in _OUTPUTS for fit in ("contain", "pad")]

    assert image_files.GPS_TEXT in data
    for each in results(data, *orders):
        image = opened(each.data)
        assert not {"icc_profile", "exif", "xmp", "comment", "XML:com.adobe.xmp", "Comment", "dpi"} & set(image.info)
        assert not image.getexif()
        assert image_files.GPS_TEXT not in each.data
        assert not any(
            mark in each.data for mark in (b"ICC_PROFILE", b"iCCP", b"ICCP", b"Exif", b"EXIF", b"x:xmpmeta")
        )


@pytest.mark.parametrize(
    "kind", [image_files.jpeg, image_files.png, image_files.webp, image_files.avif, image_files.tiff]
)
def test_a_profile_is_applied_and_taken_off(kind: Callable[..., bytes]) -> None:
    """Viewers treat the output as sRGB, which it is."""
    data = kind(profile=icc_profiles.p3_profile())

    for each in results(data, *(target(96, output=output) for output in _OUTPUTS)):
        assert "icc_profile" not in opened(each.data).info
