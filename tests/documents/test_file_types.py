"""The document about file types says what the tables of the engine say."""

import re
from pathlib import Path

from imageconverter.engine import OUTPUT_TYPES
from imageconverter.engine.source_types import SOURCE_TYPES

_TEXT = (Path(__file__).parents[2] / "docs" / "formats.md").read_text()


def _rows(heading: str) -> list[list[str]]:
    """Return the cells of the table below *heading*, without its head."""
    section = _TEXT.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (.*) \|$", section, re.MULTILINE)
    return [row.split(" | ") for row in rows[1:]]


def test_the_table_of_source_types_is_current() -> None:
    """Name, extensions, what `keep` makes, and whether animations are read."""
    expected = [[each.name, " ".join(each.extensions), each.kept_as] for each in SOURCE_TYPES]

    assert sorted(row[:3] for row in _rows("Sources")) == sorted(expected)
    assert {row[0] for row in _rows("Sources") if "animations" in row[4]} == {
        each.name for each in SOURCE_TYPES if each.can_be_animated
    }


def test_the_types_that_are_read_by_default_are_counted() -> None:
    """All but the extras."""
    counted = re.search(r"^(\d+) of these (\d+) types are read by what is installed by default", _TEXT, re.MULTILINE)

    assert counted is not None
    assert [int(number) for number in counted.groups()] == [
        sum(not each.is_extra for each in SOURCE_TYPES),
        len(SOURCE_TYPES),
    ]


def test_the_table_of_output_types_is_current() -> None:
    """Name, extensions, media type, and what the type can hold."""
    transparency = {(True, True): "yes", (True, False): "yes or no for each pixel", (False, False): "no"}

    assert _rows("Outputs") == [
        [
            name,
            " ".join(kind.extensions),
            kind.media_type,
            transparency[kind.alpha, kind.soft_alpha],
            "yes" if kind.animation else "no",
            "lossy" if kind.lossy else "lossless",
        ]
        for name, kind in OUTPUT_TYPES.items()
    ]
