"""The formats in effect while their file changes."""

import os
from pathlib import Path

import pytest

from imageconverter.images.current_formats import CurrentFormats
from imageconverter.images.formats_file import FormatsFileError
from tests.images.test_formats_file import FORMAT, OTHER

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
