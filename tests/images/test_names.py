"""Names that may become part of a key, and those that may not."""

import pytest

from imageconverter.engine.source_types import SOURCE_TYPES, SourceType
from imageconverter.errors import InvalidValue
from imageconverter.images.names import directory_path, file_name, has_room, with_extension


@pytest.mark.parametrize(
    "name",
    [
        "photo.jpg",
        "Screenshot 2025-03-24 222742.png",
        "überraschung.png",
        "日本😀.png",
        "a%20b#?.png",
        "..a",
        "-x",
        "~x",
        "no extension",
        "a" * 255,
    ],
)
def test_a_plain_name_is_kept(name: str) -> None:
    """Usual names of images are not changed."""
    assert file_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        ".",
        "..",
        "...",
        " . ",
        "a/b",
        "../x",
        "..\\x",
        "/etc/passwd",
        "C:\\x",
        "a\0.png",
        "a\nb.png",
        "a\tb",
        "a\x1b[0m",
        "a\x7f",
        "a\u202egnp.exe",
        "a\ufeff",
        "a\u2028b",
        "\ud800.png",
        "\ue000",
        " leading.png",
        "trailing.png ",
        "a" * 256,
        "ü" * 128,
    ],
)
def test_a_name_that_a_store_or_a_shell_could_misread_is_refused(name: str) -> None:
    """Separators, control characters, odd spaces and lengths over 255 bytes are invalid values."""
    with pytest.raises(InvalidValue):
        file_name(name)


def test_a_name_is_brought_to_one_normal_form() -> None:
    """The same letters written in two ways are one name."""
    assert file_name("u\u0308.png") == "\u00fc.png"


def test_a_full_width_slash_stays_a_letter() -> None:
    """Only canonical equivalence is folded: compatibility folding would make a separator of it."""
    assert file_name("a\uff0fb") == "a\uff0fb"


def test_a_directory_path_is_checked_segment_by_segment() -> None:
    """Paths are relative, without empty segments, and bounded."""
    assert directory_path("products/normal") == "products/normal"
    for path in ("", "/products", "products/", "a//b", "a/../b", "a/./b", "a\\b", "/".join(["a" * 200] * 5)):
        with pytest.raises(InvalidValue):
            directory_path(path)


@pytest.mark.parametrize(
    ("name", "extensions", "expected"),
    [
        ("photo.jpg", (".jpg", ".jpeg"), "photo.jpg"),
        ("photo.JPEG", (".jpg", ".jpeg"), "photo.JPEG"),
        ("scan.tiff", (".png",), "scan.png"),
        ("photo", (".jpg",), "photo.jpg"),
        ("report.2025", (".png",), "report.2025.png"),
        ("archive.tar.bmp", (".png",), "archive.tar.png"),
    ],
)
def test_an_extension_follows_the_type_of_the_output(name: str, extensions: tuple[str, ...], expected: str) -> None:
    """A fitting extension stays, that of another image format goes, anything else is part of the name."""
    assert with_extension(name, extensions) == expected


@pytest.mark.parametrize("source_type", SOURCE_TYPES, ids=lambda each: each.name)
def test_every_extension_of_a_source_type_is_replaced(source_type: SourceType) -> None:
    """In any case of its letters."""
    for extension in source_type.extensions:
        assert with_extension(f"scan{extension.upper()}", (".out",)) == "scan.out"


def test_a_new_extension_keeps_the_name_within_its_length() -> None:
    """A name of 255 bytes still fits after it got an extension."""
    result = with_extension("ü" * 127, (".webp",))

    assert result.endswith("ü.webp")
    assert len(result.encode()) <= 255


@pytest.mark.parametrize(
    ("length", "extension", "fits"),
    [
        (251, "", True),
        (252, "", False),
        (251, ".tiff", True),
        (251, ".xyz", False),
        (251, ".jpg", True),
        (251, ".webp", True),
    ],
)
def test_a_name_has_room_for_a_new_extension_or_not(length: int, extension: str, *, fits: bool) -> None:
    """Two long names that are cut could become one."""
    assert has_room("a" * length + extension, (".png",)) == fits
    assert has_room("a" * length + ".jpg", (".jpg", ".jpeg"))
