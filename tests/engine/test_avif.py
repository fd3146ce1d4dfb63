"""AVIF: the clean aperture, and what libavif refuses although the image is intact."""

import numpy as np
import pytest
from PIL import Image

from tests.testing.avif_files import clap, container, irot
from tests.testing.drawings import photo
from tests.testing.image_assertions import converted, difference, result

_SIZE = (64, 40)
_BROKEN = "The metadata of the file are broken."


def _halves() -> Image.Image:
    image = Image.new("RGB", _SIZE, "blue")
    image.paste("red", (0, 0, 32, 40))
    return image


@pytest.mark.parametrize(
    ("aperture", "box"),
    [
        (clap((32, 1), (40, 1), (-16, 1), (0, 1)), (0, 0, 32, 40)),
        (clap((32, 1), (40, 1), (16, 1), (0, 1)), (32, 0, 64, 40)),
        (clap((60, 2), (10, 1), (-1, 1), (5, 1)), (16, 20, 46, 30)),
        (clap((63, 1), (40, 1), (-1, 2), (0, 1)), (0, 0, 63, 40)),
    ],
)
def test_an_image_is_cropped_to_its_clean_aperture(aperture: bytes, box: tuple[int, int, int, int]) -> None:
    """Whose numbers are fractions."""
    image = converted(container(photo(_SIZE), [aperture]))

    assert image.size == (box[2] - box[0], box[3] - box[1])
    assert difference(image, photo(_SIZE).crop(box)) < 6


@pytest.mark.parametrize(
    "aperture",
    [
        clap((32, 1), (40, 1), (-17, 1), (0, 1)),  # outside
        clap((32, 1), (40, 1), (-15, 2), (0, 1)),  # between pixels
        clap((32, 0), (40, 1), (0, 1), (0, 1)),
        clap((64, 1), (40, 1), (0, 1), (0, 1)),  # all
        clap((0, 1), (40, 1), (0, 1), (0, 1)),
    ],
)
def test_an_aperture_that_is_not_valid_does_not_count(aperture: bytes) -> None:
    """As in browsers."""
    assert converted(container(photo(_SIZE), [aperture])).size == _SIZE


def test_an_image_is_cropped_before_it_is_turned() -> None:
    """The left half, turned against the clock, is below the rest."""
    image = converted(container(_halves(), [clap((40, 1), (40, 1), (-12, 1), (0, 1)), irot(1)]))

    pixels = np.asarray(image.convert("RGB"))
    assert image.size == (40, 40)
    assert pixels[2, 20, 2] > 200
    assert pixels[38, 20, 0] > 200


@pytest.mark.parametrize(
    "item",
    [(b"Exif", b"\0"), (b"Exif", b"\xff\xff\xff\xffMM"), (b"tmap", b"\xff")],
    ids=["short", "broken", "gain map"],
)
def test_a_fault_in_another_item_costs_nothing_but_a_warning(item: tuple[bytes, bytes]) -> None:
    """It would be thrown away."""
    brands = b"avifmif1miaf" + (b"tmap" if item[0] == b"tmap" else b"")

    made = result(container(photo(_SIZE), item=item, brands=brands), 64)

    assert made.size == _SIZE
    assert made.warning == _BROKEN


def test_broken_groups_of_items() -> None:
    """They matter to other images only."""
    made = result(container(photo(_SIZE), groups=b"\0\0\0\x10grpl\0\0\1\0altr"), 64)

    assert (made.size, made.warning) == (_SIZE, _BROKEN)


def test_a_box_of_associations_for_each_item() -> None:
    """The standard wants one for all of them, but browsers do not."""
    made = result(container(photo(_SIZE), item=(b"Exif", b"\0\0\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"), separate=True), 64)

    assert (made.size, made.warning) == (_SIZE, "")
