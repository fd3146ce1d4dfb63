"""Which preview answers a request."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imageconverter.previews import Matching, PreviewFormat, choose, parse, parse_list
from imageconverter.previews.matching import distance
from imageconverter.settings import PreviewSettings
from tests.previews.test_preview_format import FORMATS

DEFAULTS = parse_list(PreviewSettings().target_formats)


@pytest.mark.parametrize(
    ("requested", "expected"),
    [
        ("auto:200x150", "auto:200x150"),
        ("auto:200x150~cover", "auto:200x150~cover"),
        ("auto:200x150~cover~autorotate~shrinkonly@75", "auto:200x150~cover"),
        ("auto:48x48~cover", "auto:200x150~cover"),
        ("auto:150x200", "auto:200x150"),
        ("auto:400x300~cover", "auto:200x150~cover"),
        ("auto:600x600", "auto:800x800"),
        ("auto:800x800~cover", "auto:800x800"),
        ("auto:1600x1600", "auto:1920x1080"),
        ("auto:9000x9000~cover", "auto:1920x1080~cover"),
        ("auto:2147483647x2147483647", "auto:1920x1080"),
        ("auto:200x-1", "auto:200x150"),
        ("auto:5000x-1", "auto:200x150"),
        ("png:200x150", "auto:200x150"),
        ("auto:200x150~containforcedimension", "auto:200x150"),
        ("auto:200x150~coverandcrop", "auto:200x150~cover"),
        ("auto:-1x-1", "auto:1920x1080"),
        ("auto:-1x-1~cover", "auto:1920x1080~cover"),
    ],
)
def test_the_nearest_area_decides_then_the_scale_type(requested: str, expected: str) -> None:
    """As the original's distance has it; the whole image is the largest one."""
    assert choose(parse(requested), DEFAULTS) == parse(expected)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("jpg:10x10", "jpg:10x10", 0),
        ("jpg:10x10@20", "jpg:10x10@90", 0),
        ("jpg:10x10", "jpg:10x10~norotate", 1),
        ("jpg:10x10", "jpg:10x10~expand", 2),
        ("jpg:10x10", "jpg:10x10~expand~norotate", 3),
        ("jpg:10x10", "jpg:10x10~force", 4),
        ("jpg:10x10~force", "jpg:10x10~cover", 8),
        ("jpg:10x10", "jpg:10x10~cover", 12),
        ("jpg:10x10", "jpg:10x10~coverandcrop", 16),
        ("jpg:10x10", "png:10x10", 16),
        ("jpg:10x10", "png:10x10~coverandcrop", 16),
        ("jpg:10x10", "png:10x10~cover~norotate", 29),
        ("jpg:10x10", "jpg:11x10", 320),
        ("jpg:10x10", "png:1x99~cover~expand~norotate", 63),
        ("jpg:10", "jpg:5x2", 0),
        ("jpg:x10", "jpg:10", 0),
    ],
)
def test_the_terms_of_the_distance_are_joined_by_or(one: str, other: str, expected: int) -> None:
    """Not by adding: another type and the farthest scale type are no farther than one of them."""
    assert distance(parse(one), parse(other)) == expected
    assert distance(parse(other), parse(one)) == expected


@pytest.mark.parametrize(
    ("requested", "equally_near"),
    [
        ("jpg:100x1", ["jpg:90x1", "jpg:110x1"]),
        ("jpg:10x10", ["auto:10x10", "png:10x10"]),
        ("auto:10x10~coverandcrop", ["auto:10x10~contain", "jpg:10x10~contain"]),
        ("jpg:10x10", ["jpg:10x10@60", "jpg:10x10@80"]),
    ],
)
def test_what_is_equally_near_is_taken_in_order(requested: str, equally_near: list[str]) -> None:
    """By area, type, scale type, flags and quality, wherever it stands in the settings."""
    formats = [parse(text) for text in equally_near]

    assert {distance(parse(requested), each) for each in formats} == {distance(parse(requested), formats[0])}
    assert {choose(parse(requested), order) for order in permutations(formats)} == {formats[0]}


@pytest.mark.parametrize(
    ("requested", "expected"),
    [
        ("auto:400x300~cover", "auto:800x800"),
        ("auto:150x200", "auto:800x800"),
        ("auto:1600x1000", "auto:1920x1080"),
        ("auto:48x48~cover", "auto:200x150~cover"),
        ("auto:9000x9000~cover", "auto:1920x1080~cover"),
        ("auto:900x-1", "auto:1920x1080"),
        ("auto:-1x-1", "auto:1920x1080"),
    ],
)
def test_a_larger_preview_can_be_preferred(requested: str, expected: str) -> None:
    """In both directions; where nothing is large enough the nearest is taken."""
    assert choose(parse(requested), DEFAULTS, "larger") == parse(expected)


@given(FORMATS)
def test_in_exact_mode_a_request_is_its_own_answer(requested: PreviewFormat) -> None:
    """It is made on demand."""
    assert choose(requested, DEFAULTS, "exact") == requested


@given(FORMATS, st.lists(FORMATS), st.sampled_from(("nearest", "larger")))
def test_the_answer_is_always_there(
    requested: PreviewFormat, available: list[PreviewFormat], matching: Matching
) -> None:
    """One of the formats, and the request itself where there are none or it is among them."""
    assert choose(requested, available, matching) in (available or [requested])
    assert distance(choose(requested, [*available, requested], matching), requested) == 0
