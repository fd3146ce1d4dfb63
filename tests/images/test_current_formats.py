"""The formats in effect while their file changes."""

import os
from pathlib import Path

import pytest

from imageconverter.images.current_formats import CurrentFormats
from imageconverter.images.formats_file import FormatsFileError
from tests.images.test_formats_file import FORMAT, OTHER
from tests.images.test_subshops_file import SUBSHOPS

SMALL, BOTH = ["content.imageFormat.small"], ["content.imageFormat.small", "content.imageFormat.other"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A formats file with one format."""
    path = tmp_path / "formats.toml"
    path.write_text(FORMAT)
    return path


def test_a_change_takes_effect_when_two_looks_have_found_it(file: Path) -> None:
    """The first one may have found half of a file that is being written."""
    formats = CurrentFormats(file)
    began_with = formats.current
    file.write_text("")
    first = formats.refresh()
    file.write_text(FORMAT + OTHER)

    assert (first, formats.refresh(), list(formats.current)) == (False, False, SMALL)
    assert (formats.refresh(), list(formats.current)) == (True, BOTH)
    assert (formats.refresh(), list(began_with)) == (False, SMALL)


def test_a_change_takes_effect_at_once_on_request(file: Path) -> None:
    """That of an operator who has written the file."""
    formats = CurrentFormats(file)
    file.write_text(FORMAT + OTHER)

    assert formats.refresh(at_once=True)
    assert list(formats.current) == BOTH


def test_a_file_of_the_same_size_and_time_counts_by_its_content(file: Path) -> None:
    """Volumes of containers may keep both."""
    formats = CurrentFormats(file)
    found = file.stat()
    file.write_text(FORMAT.replace("= 100", "= 200"))
    os.utime(file, ns=(found.st_atime_ns, found.st_mtime_ns))

    assert (file.stat().st_size, file.stat().st_mtime_ns) == (found.st_size, found.st_mtime_ns)
    assert formats.refresh(at_once=True)
    assert formats.current["content.imageFormat.small"].max_width == 200


@pytest.mark.parametrize("broken", ["[[format]]\n", "[", None])
def test_a_broken_file_changes_nothing_and_is_reported_once(file: Path, broken: str | None) -> None:
    """Until it is correct again; a missing file is a broken one."""
    formats = CurrentFormats(file)
    if broken is None:
        file.unlink()
    else:
        file.write_text(broken)

    assert [formats.refresh() for _ in range(4)] == [False, True, False, False]
    assert list(formats.current) == SMALL
    assert formats.problems

    file.write_text(FORMAT)
    assert [formats.refresh() for _ in range(3)] == [False, True, False]
    assert not formats.problems


def test_a_broken_file_is_an_error_at_the_start(file: Path) -> None:
    """There is no catalog to keep."""
    file.write_text("[")

    with pytest.raises(FormatsFileError):
        CurrentFormats(file)


def test_the_defaults_never_change() -> None:
    """They are part of the program."""
    assert not CurrentFormats(None).refresh(at_once=True)


def test_subshops_change_with_their_file_and_with_the_formats(file: Path) -> None:
    """They inherit the formats."""
    shops = file.with_name("subshops.toml")
    shops.write_text(SUBSHOPS)
    formats = CurrentFormats(file, shops)
    assert list(formats.subshops["outdoor"].formats) == SMALL

    file.write_text(FORMAT + OTHER)
    assert formats.refresh(at_once=True)
    assert list(formats.subshops["outdoor"].formats) == BOTH
    assert formats.subshops.default.formats is formats.current

    shops.write_text(SUBSHOPS.partition('[[subshop]]\nid = "sale"')[0])
    assert formats.refresh(at_once=True)
    assert list(formats.subshops) == ["main", "outdoor"]


def test_a_broken_subshops_file_changes_nothing(file: Path) -> None:
    """Neither does a formats file that does not fit the subshops; the problem names the file."""
    shops = file.with_name("subshops.toml")
    shops.write_text(SUBSHOPS)
    formats = CurrentFormats(file, shops)
    before = formats.subshops

    shops.write_text("[[subshop]]\n")
    assert formats.refresh(at_once=True)
    assert formats.subshops is before
    assert formats.problems == (
        f"{shops}: line 1: id: is missing; it must be 1 to 64 letters, digits, - and _",
        f"{shops}: line 1: name: is missing; it must be a text of at most 100 characters",
    )

    shops.write_text(SUBSHOPS)
    file.write_text(FORMAT.replace('targetDirectory = "small"', 'targetDirectory = "outdoor"'))
    assert formats.refresh(at_once=True)
    assert formats.current is before.default.formats
    assert list(formats.problems) == [
        f'{shops}: line 9: targetPrefix: overlaps with "outdoor", where the format "small" has its images'
    ]


def test_a_broken_subshops_file_is_an_error_at_the_start(file: Path) -> None:
    """It names the file."""
    with pytest.raises(FormatsFileError, match=r"nowhere\.toml: No such file"):
        CurrentFormats(file, file.with_name("nowhere.toml"))
