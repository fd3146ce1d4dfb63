"""Which subshop a host and a path of the target tree belong to."""

import pytest

from imageconverter.images.formats_file import parse_formats
from imageconverter.images.image_formats import ImageFormats
from imageconverter.images.subshops import Subshops, same_subshops
from imageconverter.images.subshops_file import parse_subshops
from tests.images.test_formats_file import FORMAT
from tests.images.test_subshops_file import SUBSHOPS


@pytest.fixture(scope="module")
def subshops() -> Subshops:
    """A default, one with a host and a prefix, and one with a prefix."""
    return parse_subshops(SUBSHOPS, "subshops.toml", parse_formats(FORMAT + 'variants = ["webp"]\n', "formats.toml"))


@pytest.mark.parametrize(
    ("host", "subshop"),
    [
        ("content.outdoor.example", "outdoor"),
        ("Content.OUTDOOR.example:8443", "outdoor"),
        ("content.outdoor.example.", "outdoor"),
        ("outdoor.example", "main"),
        ("content.outdoor.example.evil.example", "main"),
        ("content.outdoor.example@evil.example", "main"),
        ("content.outdoor.example/", "main"),
        (" content.outdoor.example", "main"),
        ("content.outdoor.example:", "main"),
        ("[::1]:8005", "main"),
        ("127.0.0.1", "main"),
        ("", "main"),
    ],
)
def test_a_host_is_that_of_a_subshop_or_of_the_default_one(subshops: Subshops, host: str, subshop: str) -> None:
    """Whatever its case and port."""
    assert subshops.at_host(host).id == subshop


@pytest.mark.parametrize(
    ("path", "subshop"),
    [
        ("outdoor/small/a.jpg", "outdoor"),
        ("outdoor", "outdoor"),
        ("outdoors/small/a.jpg", "main"),
        ("shops/sale/cards/a.jpg", "sale"),
        ("shops/sales/a.jpg", "main"),
        ("shops", "main"),
        ("small/outdoor/a.jpg", "main"),
    ],
)
def test_a_path_is_that_of_the_subshop_with_its_prefix(subshops: Subshops, path: str, subshop: str) -> None:
    """Of whole directories."""
    assert subshops.at_path(path).id == subshop


def test_variants_are_known_by_the_formats_of_the_subshop(subshops: Subshops) -> None:
    """Below each prefix."""
    assert subshops.variants_at("small/a.jpg") == ("webp",)
    assert subshops.variants_at("outdoor/small/a.jpg") == ("webp",)
    assert subshops.variants_at("shops/sale/small/a.jpg") == ()
    assert subshops.variants_at("other/a.jpg") == ()


def test_all_formats_have_those_that_are_shared_once(subshops: Subshops) -> None:
    """Each has a directory of its own."""
    assert [each.target_directory for each in subshops.formats] == ["small", "outdoor/small", "shops/sale/cards"]
    assert [each.id for each in same_subshops(subshops.default.formats, ["a", "b"]).formats] == ["small"]


def test_subshops_that_are_ids_share_everything() -> None:
    """As those of a setting."""
    formats = ImageFormats([])
    found = same_subshops(formats, ["a", "b"])

    assert list(found) == ["a", "b"]
    assert found.default.id == "a"
    assert all(each.formats is formats for each in found.values())
    assert list(same_subshops(formats, [])) == []
