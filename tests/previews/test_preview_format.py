"""The grammar of preview formats: what is understood, and that nothing is an error."""

from typing import get_args
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imageconverter.previews import (
    PreviewFormat,
    PreviewType,
    ScaleType,
    parse,
    parse_list,
)
from imageconverter.settings import PreviewSettings

SIDES = st.none() | st.integers(1, 2**31 - 1)
FORMATS = st.builds(
    PreviewFormat,
    type=st.sampled_from(get_args(PreviewType)),
    width=SIDES,
    height=SIDES,
    scale=st.sampled_from(get_args(ScaleType)),
    auto_rotate=st.booleans(),
    shrink_only=st.booleans(),
    quality=st.integers(1, 100),
)
_WORDS = (
    "auto",
    "jpg",
    "png",
    ":",
    "x",
    "~",
    "@",
    "%",
    ",",
    "-",
    "+",
    "0",
    "200",
    "99999999999",
    " ",
    "²",
    "İ",
    "\0",
)
_PARTS = ("cov", "crop", "force", "norotate", "expand", "%3A", "%25", "١٢", "\ud800")
# Mostly what nearly is a format, so that the parser gets past its first character.
NEARLY_FORMATS = st.lists(st.sampled_from(_WORDS + _PARTS)).map("".join)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("auto:200x150~cover~autorotate~shrinkonly@75", PreviewFormat("auto", 200, 150, "cover")),
        ("auto:800x800~contain@75", PreviewFormat("auto", 800, 800)),
        ("auto:200x150~auto~autorotate@75", PreviewFormat("auto", 200, 150)),
        ("auto:-1x-1~contain~autorotate@75", PreviewFormat("auto")),
        ("jpg:128x-1@75", PreviewFormat("jpg", 128)),
        ("jpg:128x-1-contain@75", PreviewFormat("jpg", 128)),
    ],
)
def test_what_the_middleware_writes_is_understood(text: str, expected: PreviewFormat) -> None:
    """It always rotates and never enlarges, because it has no words for anything else."""
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("auto:1x1", "auto"),
        ("jpg:1x1", "jpg"),
        ("png:1x1", "png"),
        ("PNG:1x1", "png"),
        ("  png:1x1 ", "png"),
        ("png", "png"),
        ("gif:1x1", "jpg"),
        ("jpeg:1x1", "jpg"),
        ("png :1x1", "jpg"),
        ("1x1", "jpg"),
        (":1x1", "jpg"),
        ("png~cover", "jpg"),
    ],
)
def test_the_type_stands_before_the_first_colon(text: str, expected: str) -> None:
    """What is unknown there is JPEG."""
    assert parse(text).type == expected


@pytest.mark.parametrize(
    ("text", "width", "height"),
    [
        ("200x150", 200, 150),
        ("200", 200, None),
        ("200x", 200, None),
        ("x150", None, 150),
        ("x", None, None),
        ("", None, None),
        ("0x150", None, 150),
        ("-1x150", None, 150),
        ("200x0", 200, None),
        ("200x-7", 200, None),
        ("bad x150", None, None),
        ("2.5x150", None, None),
        ("200xbad", 200, None),
        ("200x150x3", 200, None),
        ("200X150", 200, 150),
        ("200 x150", None, None),
        ("0200x+150", 200, 150),
        ("0" * 9000 + "200x150", 200, 150),
        ("2147483647x2147483648", 2**31 - 1, None),
        ("2147483648x150", None, None),
        ("9" * 9000 + "x150", None, None),
        ("²x150", None, None),
    ],
)
@pytest.mark.parametrize("around", ["png:{}", "png:{}~cover", "png:{}@50", "png:{}~cover@50"])
def test_a_side_that_is_no_positive_number_is_free(
    text: str, width: int | None, height: int | None, around: str
) -> None:
    """A width that is no number at all takes the height with it."""
    parsed = parse(around.format(text))

    assert (parsed.width, parsed.height) == (width, height)


def test_extents_are_read_without_a_colon_too() -> None:
    """They stand at the start then."""
    assert parse("200x150~cover") == PreviewFormat("jpg", 200, 150, "cover")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", "contain"),
        ("~contain", "contain"),
        ("~auto", "contain"),
        ("~discover", "contain"),
        ("~crop", "contain"),
        ("~cover", "cover"),
        ("~COVER", "cover"),
        ("~cov", "cover"),
        ("~coverandcrop", "coverandcrop"),
        ("~cov-crop", "coverandcrop"),
        ("~containforcedimension", "containforcedimension"),
        ("~force", "containforcedimension"),
        ("~dimension", "containforcedimension"),
        ("~coverforce", "cover"),
        ("~~cover~~", "cover"),
        ("~cover~contain", "cover"),
        ("~cover~force", "containforcedimension"),
        ("~norotate~cover~expand", "cover"),
    ],
)
def test_the_scale_type_is_found_among_the_options(options: str, expected: str) -> None:
    """A part of its name is enough, and unknown options are ignored."""
    assert parse("auto:200x150" + options).scale == expected


@pytest.mark.parametrize(
    ("options", "auto_rotate", "shrink_only"),
    [
        ("", True, True),
        ("~autorotate~shrinkonly", True, True),
        ("~norotate", False, True),
        ("~expand", True, False),
        ("~expand~norotate", False, False),
        ("~norotate~autorotate", False, True),
        ("~NoRotate~Expanded", False, False),
    ],
)
def test_turning_and_shrinking_are_on_until_they_are_switched_off(
    options: str, *, auto_rotate: bool, shrink_only: bool
) -> None:
    """The words that switch them on change nothing."""
    parsed = parse("auto:200x150" + options)

    assert (parsed.auto_rotate, parsed.shrink_only) == (auto_rotate, shrink_only)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 75),
        ("@", 75),
        ("@1", 1),
        ("@90", 90),
        ("@100", 100),
        ("@0", 1),
        ("@-3", 1),
        ("@101", 100),
        ("@99999999999", 75),
        ("@high", 75),
        ("@90%", 75),
        ("@90@10", 75),
    ],
)
def test_the_quality_counts(text: str, expected: int) -> None:
    """Unlike in the published parser, whose quality is always 75."""
    assert parse("auto:200x150~cover" + text).quality == expected


@pytest.mark.parametrize("text", ["", "   ", "%20"])
def test_nothing_at_all_is_the_image_as_it_is(text: str) -> None:
    """Not turned, and free to be enlarged: the published parser's default object."""
    assert parse(text) == PreviewFormat("jpg", auto_rotate=False, shrink_only=False)


@pytest.mark.parametrize("safe", [":~@", "", "@"])
def test_an_encoded_format_is_the_same(safe: str) -> None:
    """As often as it was encoded: by the client, and by a proxy once more."""
    text = "auto:200x150~cover~norotate@60"
    once = quote(text, safe=safe)

    assert parse(once) == parse(text) == PreviewFormat("auto", 200, 150, "cover", auto_rotate=False, quality=60)


@given(st.text() | NEARLY_FORMATS)
@example("%")
@example("\ud800%ff")
@example("auto:" + "9" * 5000)
def test_no_text_is_an_error(text: str) -> None:
    """Whatever is written there, a format comes out that can be written and read again."""
    parsed = parse(text)

    assert parse(parsed.documented) == parsed
    assert 1 <= parsed.quality <= 100
    assert all(parse(part.documented) == part for part in parse_list(text))


@given(FORMATS)
def test_the_documented_form_is_read_back(format_: PreviewFormat) -> None:
    """Every format has one, and it is the same after reading."""
    assert parse(format_.documented) == format_


@given(FORMATS, FORMATS)
def test_different_formats_have_different_names(one: PreviewFormat, other: PreviewFormat) -> None:
    """So that each can be stored under its own."""
    assert (one == other) == (one.documented == other.documented)


def test_a_format_is_written_as_documented() -> None:
    """A free side is -1, and only options that are switched off are named."""
    format_ = PreviewFormat("auto", 200, None, "coverandcrop", shrink_only=False, quality=60)

    assert format_.documented == "auto:200x-1~coverandcrop~expand@60"


def test_the_default_formats_are_those_of_the_original() -> None:
    """Of version 8.20.1."""
    assert parse_list(PreviewSettings().target_formats) == (
        PreviewFormat("auto", 200, 150),
        PreviewFormat("auto", 200, 150, "cover"),
        PreviewFormat("auto", 800, 800),
        PreviewFormat("auto", 1920, 1080),
        PreviewFormat("auto", 1920, 1080, "cover"),
    )


@pytest.mark.parametrize("text", ["jpg:5x6;png:7x8", "jpg:5x6, png:7x8,", " ;jpg:5x6,,png:7x8;jpg:5x6~contain"])
def test_a_list_may_be_untidy(text: str) -> None:
    """Commas and semicolons separate, gaps are ignored, and duplicates removed."""
    assert parse_list(text) == (PreviewFormat("jpg", 5, 6), PreviewFormat("png", 7, 8))


@pytest.mark.parametrize("text", ["", " ", ",;,"])
def test_a_list_may_be_empty(text: str) -> None:
    """An empty text is not the default object here."""
    assert parse_list(text) == ()
