"""The file that the subshops are read from, and what is said about a broken one."""

from pathlib import Path

import pytest

from imageconverter.images.formats_file import FormatsFileError, load_formats, parse_formats
from imageconverter.images.image_formats import ImageFormats
from imageconverter.images.subshops_file import load_subshops, parse_subshops
from tests.images.test_format_sets import SET
from tests.images.test_formats_file import FORMAT

SUBSHOPS = """[[subshop]]
id = "main"
name = "Main shop"

[[subshop]]
id = "outdoor"
name = "Outdoor"
contentHost = "content.outdoor.example"
targetPrefix = "outdoor"

[[subshop]]
id = "sale"
name = "Sale"
targetPrefix = "shops/sale"
inheritFormats = false

[[subshop.format]]
id = "card"
name = "card"
type = "product"
targetDirectory = "cards"
maxWidth = 100
maxHeight = 100
"""
ID = "content.imageFormat."


@pytest.fixture(scope="module")
def formats() -> ImageFormats:
    """The shipped formats."""
    return load_formats(None)


def problems(text: str, formats: ImageFormats) -> list[str]:
    """Return what is wrong with a file."""
    with pytest.raises(FormatsFileError) as caught:
        parse_subshops(text, "subshops.toml", formats)
    assert all(line.startswith("subshops.toml: ") for line in str(caught.value).splitlines())
    return [str(each) for each in caught.value.problems]


def test_the_first_subshop_is_the_default_with_the_formats_of_the_formats_file(formats: ImageFormats) -> None:
    """It has the whole target tree."""
    found = parse_subshops(SUBSHOPS, "subshops.toml", formats)

    assert [(each.id, each.name, each.content_host, each.target_prefix) for each in found.values()] == [
        ("main", "Main shop", "", ""),
        ("outdoor", "Outdoor", "content.outdoor.example", "outdoor"),
        ("sale", "Sale", "", "shops/sale"),
    ]
    assert found.default is found["main"]
    assert found.default.formats is formats


def test_inherited_formats_have_their_images_below_the_prefix(formats: ImageFormats) -> None:
    """Nothing else of them differs, and their aliases are known."""
    found = parse_subshops(SUBSHOPS, "subshops.toml", formats)["outdoor"].formats

    assert list(found) == list(formats)
    for node_id, each in found.items():
        original = formats[node_id]
        assert each.target_directory == f"outdoor/{original.target_directory}"
        assert each.model_copy(update={"target_directory": original.target_directory}) == original
    assert found[f"{ID}normal"].target_directory == "outdoor/products/normal"


def test_own_formats_are_instead_of_the_inherited_ones(formats: ImageFormats) -> None:
    """If the subshop inherits none."""
    found = parse_subshops(SUBSHOPS, "subshops.toml", formats)["sale"].formats

    assert [(node_id, each.target_directory) for node_id, each in found.items()] == [
        (f"{ID}card", "shops/sale/cards")
    ]


def test_an_own_format_replaces_that_with_its_id_and_others_are_added(formats: ImageFormats) -> None:
    """In its place, so that the order stays."""
    own = FORMAT.replace("[[format]]", "[[subshop.format]]").replace('"small"', '"normalProduct"', 1)
    text = SUBSHOPS.replace("inheritFormats = false\n", "") + own
    found = parse_subshops(text, "subshops.toml", formats)["sale"].formats

    assert list(found) == [*formats, f"{ID}card"]
    assert found[f"{ID}normalProduct"].max_width == 100
    assert f"{ID}normal" not in found


def test_sets_are_inherited(formats: ImageFormats) -> None:
    """With their members below the prefix; an own format with the id of a set replaces all of them."""
    inherited = parse_formats(SET + FORMAT, "formats.toml")
    outdoor = parse_subshops(SUBSHOPS, "subshops.toml", inherited)["outdoor"].formats
    own = FORMAT.replace("[[format]]", "[[subshop.format]]").replace('"small"', '"gallery"')
    replaced = parse_subshops(SUBSHOPS.replace("inheritFormats = false\n", "") + own, "subshops.toml", inherited)

    assert outdoor.sets == inherited.sets
    assert [each.target_directory for each in outdoor.select([f"{ID}gallery"])] == [
        f"outdoor/products/gallery/{width}w" for width in (320, 640, 1280)
    ]
    assert list(replaced["sale"].formats) == [f"{ID}small", f"{ID}card", f"{ID}gallery"]
    assert replaced["sale"].formats.sets == {}
    assert formats.sets == {}


NAME = 'name = "Outdoor"\n'
PREFIX = 'targetPrefix = "outdoor"\n'
HOST = 'contentHost = "content.outdoor.example"\n'


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        (NAME, "", "line 5: name: is missing; it must be a text of at most 100 characters"),
        (NAME, 'name = ""\n', 'line 7: name: "" is not allowed; it must be a text of at most 100 characters'),
        ('"outdoor"\nname', '"out door"\nname',
         'line 6: id: "out door" is not allowed; it must be 1 to 64 letters, digits, - and _'),
        ('"outdoor"\nname', '"main"\nname', 'line 6: id: "main" is used twice, first in line 2'),
        (NAME, f'{NAME}color = "red"\n',
         ("line 8: color: there is no such field. The fields are: id, name, contentHost, targetPrefix, "
         "inheritFormats, format")),
        (HOST, 'contentHost = "https://outdoor.example"\n',
         ('line 8: contentHost: "https://outdoor.example" is not allowed; it must be a host in lower case such as '
         '"content.shop.example", perhaps with a port and a path')),
        (HOST, 'contentHost = "Outdoor.example"\n',
         ('line 8: contentHost: "Outdoor.example" is not allowed; it must be a host in lower case such as '
         '"content.shop.example", perhaps with a port and a path')),
        ('name = "Sale"\n', 'name = "Sale"\ncontentHost = "content.outdoor.example:8443/shop"\n',
         'line 14: contentHost: "content.outdoor.example" is used twice, first in line 8'),
        (PREFIX, 'targetPrefix = "../outdoor"\n',
         'line 9: targetPrefix: The name ".." is empty, only dots, or begins or ends with a space.'),
        (PREFIX, 'targetPrefix = "_"\n', 'line 9: targetPrefix: must not begin with "_", which is for signed URLs'),
        (PREFIX, 'targetPrefix = "shops"\n', None),
        (PREFIX, 'targetPrefix = "products/normal/big"\n',
         'line 9: targetPrefix: overlaps with "products/normal", where the format "normalProduct" has its images'),
        (PREFIX, f'targetPrefix = "{"a" * 255}/{"a" * 255}/{"a" * 255}/{"a" * 125}"\n',
         "line 9: targetPrefix: makes the path of a target directory longer than 900 bytes"),
        (PREFIX, f"{PREFIX}inheritFormats = 1\n",
         "line 10: inheritFormats: 1 is not allowed; it must be true or false"),
        (PREFIX, f"{PREFIX}inheritFormats = false\n",
         "line 10: inheritFormats: must not be false without a [[subshop.format]]"),
        ('name = "Main shop"\n', 'name = "Main shop"\ntargetPrefix = "main"\n',
         ("line 4: targetPrefix: must not be there: the first subshop is the default, it has the formats "
          "file and the whole tree")),
        ("maxWidth = 100", "maxWidth = 0",
         "line 22: maxWidth: 0 is not allowed; it must be a whole number from 1 to 16384"),
        ("[[subshop.format]]", "[subshop.format]", None),
        (SUBSHOPS, "", "has no [[subshop]]; the first one is the default"),
        (SUBSHOPS, "[[subshops]]\n", "line 1: subshops: subshops are tables that begin with [[subshop]]"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_line_and_field(
    formats: ImageFormats, before: str, after: str, problem: str | None
) -> None:
    """And what is allowed there."""
    assert before in SUBSHOPS
    found = problems(SUBSHOPS.replace(before, after, 1), formats)

    if problem is not None:
        assert found == [problem]
    assert len(found) == 1


def test_a_format_must_not_overwrite_the_images_of_another_subshop(formats: ImageFormats) -> None:
    """Subshops without prefix share the directories."""
    text = SUBSHOPS.replace('targetPrefix = "shops/sale"\n', "").replace('"cards"', '"products/normal"')

    assert problems(text, formats) == [
        (
            'line 11: format: "card" would overwrite the images of "normalProduct" of the subshop "main": both '
            'write to "products/normal"'
        )
    ]


def test_a_format_must_not_have_its_images_below_the_prefix_of_another_subshop(formats: ImageFormats) -> None:
    """Those of that subshop are its own."""
    text = SUBSHOPS.replace('targetPrefix = "shops/sale"\n', "").replace('"cards"', '"outdoor/cards"')

    assert problems(text, formats) == [
        'line 11: format: the format "card" has its images in "outdoor", the prefix of another subshop'
    ]


def test_a_file_that_cannot_be_read_is_named(formats: ImageFormats, tmp_path: Path) -> None:
    """With what the system says."""
    with pytest.raises(FormatsFileError, match=r"subshops\.toml: No such file or directory"):
        load_subshops(tmp_path / "subshops.toml", formats)
