"""Which images of a set become candidates of a `srcset`."""

import pytest

from imageconverter.images.candidates import Candidate, for_srcset
from imageconverter.images.conversions import stored_size


@pytest.mark.parametrize(
    ("sizes", "listed"),
    [
        ([(320, 240), (640, 480), (1280, 960)], [320, 640, 1280]),
        ([(1280, 960), (320, 240)], [320, 1280]),
        # The source is 500 pixels wide.
        ([(320, 240), (500, 375), (500, 375)], [320, 500]),
        # It is cropped to a square by the smaller boxes only.
        ([(320, 320), (500, 800), (500, 800)], [320]),
        # Sides are rounded: the source has 333 by 1000 pixels.
        ([(33, 99), (99, 297), (333, 1000)], [33, 99, 333]),
        ([(1, 3), (2, 5), (4, 11)], [1, 2, 4]),
        ([(320, None), (640, 480)], [320, 640]),
        ([], []),
    ],
)
def test_each_width_is_listed_once_if_the_shape_is_that_of_the_narrowest(
    sizes: list[tuple[int, int | None]], listed: list[int]
) -> None:
    """Browsers take the candidates for one image in several sizes."""
    candidates = [Candidate(f"d/{n}.jpg", width, height, exists=True) for n, (width, height) in enumerate(sizes)]

    assert [each.width for each in for_srcset(candidates)] == listed


def test_an_image_that_does_not_exist_is_not_listed() -> None:
    """A browser would show none."""
    candidates = [Candidate("a.jpg", 320, None, exists=False), Candidate("b.jpg", 640, 480, exists=True)]

    assert [each.path for each in for_srcset(candidates)] == ["b.jpg"]


@pytest.mark.parametrize(
    ("text", "size"), [("800x600", (800, 600)), ("", None), ("0x1", None), ("1x", None), ("1x1\n", None)]
)
def test_the_size_of_an_output_is_read_from_its_metadata(text: str, size: tuple[int, int] | None) -> None:
    """Other programs may have written it."""
    assert stored_size({"size": text}) == size
    assert stored_size({}) is None
