"""The catalog of formats and the file that it is read from."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field, create_model

from imageconverter.errors import InvalidValue
from imageconverter.images import image_formats
from imageconverter.images.formats_file import load_formats
from imageconverter.images.image_formats import ImageFormat, ImageFormats

DEFAULTS = {
    "content.imageFormat.app": ("app", "app", 1024),
    "content.imageFormat.normalCategory": ("normal category", "categories/normal", 800),
    "content.imageFormat.normalProduct": ("normal product", "products/normal", 800),
    "content.imageFormat.thumbnailProduct": ("thumbnail product", "products/thumbnail", 200),
    "content.imageFormat.largeProduct": ("large product", "products/large", 1600),
}


def test_default_formats_are_those_of_the_specification() -> None:
    """Ids, display names, directories and boxes of spec A5, in its order."""
    catalog = load_formats(None)

    found = {each.node_id: (each.name, each.target_directory, each.max_width) for each in catalog.values()}
    assert list(found.items()) == list(DEFAULTS.items())
    assert all(each.max_width == each.max_height and not each.upscale for each in catalog.values())


def test_alias_is_found_under_its_own_id_but_not_listed() -> None:
    """`content.imageFormat.normal` of the documented example is a second id of the normal product format."""
    catalog = load_formats(None)
    alias = catalog["content.imageFormat.normal"]

    assert alias.target_directory == "products/normal"
    assert alias.node_id == "content.imageFormat.normal"
    assert "content.imageFormat.normal" not in list(catalog)


def test_formats_are_selected_once_each_in_the_requested_order() -> None:
    """A request's own order counts; naming one twice is no second output."""
    names = ["content.imageFormat.thumbnailProduct", "content.imageFormat.app", "content.imageFormat.app"]

    assert [each.name for each in load_formats(None).select(names)] == ["thumbnail product", "app"]


@pytest.mark.parametrize("names", [[], ["nonsense"], ["normalProduct"], ["content.imageFormat.app", ""]])
def test_unknown_format_is_an_invalid_value(names: list[str]) -> None:
    """None at all, or one that is not configured, is refused."""
    with pytest.raises(InvalidValue):
        load_formats(None).select(names)


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ("content.imageFormat.nosuch", r'"content.imageFormat.nosuch"'),
        ("größe 2", '"größe 2"'),
        ("\x1b[2J\ud800\u202e", "with special characters"),
        ("<script>", "with special characters"),
        ('"; there are: x', "with special characters"),
        ("n" * 101, f'"{"n" * 59}…"'),
        ("", '""'),
    ],
)
def test_an_unknown_format_is_named_with_those_that_there_are(name: str, quoted: str) -> None:
    """A client has sent it: what a page or a terminal could interpret is not repeated."""
    with pytest.raises(InvalidValue) as caught:
        load_formats(None).select(["content.imageFormat.app", name])
    listed = ", ".join(load_formats(None))
    assert caught.value.reason == f"The image format {quoted} is not configured; there are: {listed}."
    assert caught.value.field == "formats"


def test_a_reason_lists_twenty_formats() -> None:
    """A formats file may have hundreds."""
    some = next(iter(load_formats(None).values()))
    many = ImageFormats([some.model_copy(update={"id": f"n{number}", "aliases": ()}) for number in range(25)])

    with pytest.raises(InvalidValue, match=r"are: content\.imageFormat\.n0, .*imageFormat\.n19 and 5 more\.$"):
        many.select(["x"])


FORMAT = """[[format]]
id = "small"
name = "small"
type = "product"
targetDirectory = "small"
maxWidth = 100
maxHeight = 100
"""


def test_digest_of_the_default_formats_equals_that_of_release_0_1_0() -> None:
    """Reports carry it: a clean-up refuses while it differs, so an upgrade must not change it."""
    assert load_formats(None).digest() == "b08023eacb89f22cc87d6ab3019be454058e20c7150a1fa2a66ecc60a28d445d"


def test_digest_changes_with_an_added_field_only_if_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """A later release may add a field with a default."""
    later = create_model("ImageFormat", __base__=ImageFormat, sharpen=(int, Field(default=0)))
    monkeypatch.setattr(image_formats, "ImageFormat", later)
    before = load_formats(None)
    listed = [later.model_validate(each.model_dump()) for each in before.values()]

    assert ImageFormats(listed).digest() == before.digest()
    listed[0] = listed[0].model_copy(update={"sharpen": 1})
    assert ImageFormats(listed).digest() != before.digest()


@pytest.mark.parametrize(
    "change", [{"max_width": 9}, {"fit": "crop"}, {"background": "#000000"}, {"name": "x"}, {"aliases": ("x",)}]
)
def test_digest_changes_with_a_changed_format(change: dict[str, Any]) -> None:
    """Fields of the target and of the format count alike."""
    first, *others = load_formats(None).values()

    assert ImageFormats([first.model_copy(update=change), *others]).digest() != load_formats(None).digest()


@pytest.mark.parametrize("spelling", ["center", "centre"])
def test_both_spellings_of_the_center_are_stored_alike(tmp_path: Path, spelling: str) -> None:
    """Digests and fingerprints do not depend on the spelling."""
    file = tmp_path / "formats.toml"
    file.write_text(FORMAT)
    default = load_formats(file)
    file.write_text(FORMAT + f'fit = "contain"\nfocus = "{spelling}"\n')
    catalog = load_formats(file)

    assert catalog["content.imageFormat.small"].model_dump()["focus"] == "centre"
    assert catalog.digest() == default.digest()


def test_shipped_file_documents_the_default_focus(tmp_path: Path) -> None:
    """The value that its comment quotes can be copied."""
    text = (Path(image_formats.__file__).parent / "formats.toml").read_text()
    (focus,) = re.findall(r'"(\w+)" \(default\), "entropy"', text)
    file = tmp_path / "formats.toml"
    file.write_text(FORMAT + f'focus = "{focus}"\n')

    assert load_formats(file)["content.imageFormat.small"].focus == ImageFormat.model_fields["focus"].default
