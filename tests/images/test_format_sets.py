"""Sets: entries of the formats file that stand for several widths."""

from pathlib import Path

import pytest

from imageconverter.errors import InvalidValue
from imageconverter.images.formats_file import load_formats
from imageconverter.images.image_formats import ImageFormats
from tests.images.test_formats_file import FORMAT, problems

SET = """[[format]]
id = "gallery"
name = "gallery"
type = "product"
targetDirectory = "products/gallery"
output = "webp"
widths = [640, 320, 1280]
"""
PREFIX = "content.imageFormat."
WIDTHS = "is not allowed; it must be 1 to 16 whole numbers from 1 to 16384 such as [320, 640, 1280]"


def load(folder: Path, text: str) -> ImageFormats:
    """Read a formats file."""
    file = folder / "formats.toml"
    file.write_text(text)
    return load_formats(file)


def test_a_set_is_one_format_for_each_width(tmp_path: Path) -> None:
    """With suffixes in id and name, and a directory of its own, so that everything else treats it as any format."""
    catalog = load(tmp_path, SET)

    assert [
        (each.node_id, each.name, each.target_directory, each.max_width, each.max_height, each.output, each.type)
        for each in catalog.values()
    ] == [
        (f"{PREFIX}gallery-320w", "gallery 320", "products/gallery/320w", 320, None, "webp", "product"),
        (f"{PREFIX}gallery-640w", "gallery 640", "products/gallery/640w", 640, None, "webp", "product"),
        (f"{PREFIX}gallery-1280w", "gallery 1280", "products/gallery/1280w", 1280, None, "webp", "product"),
    ]


def test_all_boxes_of_a_set_have_one_shape(tmp_path: Path) -> None:
    """The height is that of the widest one."""
    catalog = load(tmp_path, SET + 'maxHeight = 961\nfit = "crop"\n')

    assert [(each.max_width, each.max_height) for each in catalog.values()] == [(320, 240), (640, 480), (1280, 961)]


def test_a_set_is_selected_by_its_id_or_alias(tmp_path: Path) -> None:
    """It stands for its members, each of which is selected once."""
    catalog = load(tmp_path, SET + 'aliases = ["big"]\n' + FORMAT)
    wanted = [f"{PREFIX}{name}" for name in ("gallery-640w", "small", "gallery")]

    assert [each.id for each in catalog.select(wanted)] == ["gallery-640w", "small", "gallery-320w", "gallery-1280w"]
    assert [each.id for each in catalog.select([f"{PREFIX}big"])] == ["big-320w", "big-640w", "big-1280w"]
    assert f"{PREFIX}gallery" not in catalog


def test_an_unknown_member_is_not_selected(tmp_path: Path) -> None:
    """A set has the widths of the file only."""
    with pytest.raises(InvalidValue):
        load(tmp_path, SET).select([f"{PREFIX}gallery-321w"])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (SET + "maxWidth = 9\n", "line 8: maxWidth: must not be there, because the entry has widths"),
        (SET + "upscale = true\n", "line 8: upscale: must not be true, because a set never enlarges an image"),
        (SET.replace("[640, 320, 1280]", "[]"),
         f"line 7: widths: [] {WIDTHS}"),
        (SET.replace("[640, 320, 1280]", "[0]"),
         f"line 7: widths: [0] {WIDTHS}"),
        (SET.replace("[640, 320, 1280]", "640"),
         f"line 7: widths: 640 {WIDTHS}"),
        (SET.replace('id = "gallery"', f'id = "{"g" * 60}"'),
         "line 2: id: is too long for a set, which adds its widths"),
        (SET + FORMAT.replace('id = "small"', 'id = "gallery-320w"'),
         'line 9: id: "gallery-320w" is used twice, first in line 2'),
        (SET + FORMAT.replace('Directory = "small"', 'Directory = "products/gallery/640w"'),
         ('line 12: targetDirectory: "small" would overwrite the images of "gallery-640w" (line 5): both write webp '
         'files to "products/gallery/640w"')),
    ],
)  # fmt: skip
def test_a_set_that_cannot_be_made_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    """With line and field."""
    assert problems(tmp_path, text) == [problem]


def test_a_width_given_twice_is_one_output(tmp_path: Path) -> None:
    """It would be the same file."""
    assert len(load(tmp_path, SET.replace("1280", "320"))) == 2
