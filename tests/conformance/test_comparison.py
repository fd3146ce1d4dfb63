"""Two images are equal if a viewer cannot see a difference, on white or on black."""

import numpy as np
import pytest
from PIL import Image

from tests.conformance.comparison import EXACT, LOSSY, OTHER_SIZE, SCALED, compare, tolerance_for
from tests.testing import drawings

_SIDE = 100


def shifted(image: Image.Image, levels: int) -> Image.Image:
    """Make *image* brighter."""
    pixels = np.asarray(image.convert("RGB"), dtype=np.int16) + levels
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).convert("RGBA")


def test_an_image_does_not_differ_from_itself() -> None:
    """Neither with transparency."""
    for image in (drawings.photo((40, 30)).convert("RGBA"), drawings.cutout((40, 30))):
        assert compare(image, image, _SIDE) == (0, 0)


def test_rounding_is_allowed_and_another_tone_is_not() -> None:
    """One level for exact types, three for others."""
    photo = drawings.photo((40, 30)).convert("RGBA")

    assert EXACT.allows(compare(photo, shifted(photo, 1), _SIDE))
    assert not EXACT.allows(compare(photo, shifted(photo, 3), _SIDE))
    assert LOSSY.allows(compare(photo, shifted(photo, 3), _SIDE))
    assert not LOSSY.allows(compare(photo, shifted(photo, 9), _SIDE))


@pytest.mark.parametrize("part", [(0, 29, 40, 30), (37, 0, 40, 30)], ids=["last row", "right edge"])
def test_a_few_wrong_pixels_count(part: tuple[int, int, int, int]) -> None:
    """A missing row hardly changes the mean, but can be seen."""
    photo = drawings.photo((40, 30)).convert("RGBA")
    damaged = photo.copy()
    damaged.paste((0, 255, 0, 255), part)

    assert not LOSSY.allows(compare(photo, damaged, _SIDE))


def test_transparency_counts_as_it_looks() -> None:
    """What is black on transparency differs on white; the color of what is wholly transparent does not count."""
    clear, black = Image.new("RGBA", (8, 8)), Image.new("RGBA", (8, 8), (0, 0, 0, 255))

    assert compare(clear, black, _SIDE) == (255, 1)
    assert compare(clear, Image.new("RGBA", (8, 8), (9, 200, 7, 0)), _SIDE) == (0, 0)


def test_sizes_must_be_equal() -> None:
    """An image that is turned, cropped or enlarged is another."""
    assert compare(Image.new("RGBA", (40, 30)), Image.new("RGBA", (30, 40)), _SIDE) == OTHER_SIZE
    assert compare(Image.new("RGBA", (100, 50)), Image.new("RGBA", (200, 120)), _SIDE) == OTHER_SIZE


def test_an_image_that_was_made_to_fit_is_compared_with_the_large_one() -> None:
    """The other one is scaled as well."""
    large = drawings.photo((400, 300)).convert("RGBA")

    difference = compare(large.resize((100, 75), Image.Resampling.BICUBIC), large, _SIDE)

    assert SCALED.allows(difference)


def test_the_tolerance_depends_on_the_type() -> None:
    """And on whether something was scaled, or its colors converted."""
    assert tolerance_for("PNG", is_scaled=False) == EXACT
    assert tolerance_for("PNG", is_scaled=False, is_managed=True) == LOSSY
    assert tolerance_for("JPEG", is_scaled=False) == LOSSY
    assert tolerance_for("PNG", is_scaled=True) == SCALED
