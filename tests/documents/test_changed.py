"""`make test-changed` runs the tests of what has changed, and everything if that cannot be known."""

import subprocess
from pathlib import Path

import pytest

from tests.testing.changed import changed_files, select


@pytest.mark.parametrize(
    ("changed", "selected"),
    [
        ("services/gateway/imageconverter_api/multipart.py", ["tests/gateway/imageconverter_api/test_multipart.py"]),
        ("services/gateway/http/__init__.py", ["tests/gateway/http"]),
        ("services/gateway/main.py", ["tests/gateway"]),
        ("shared/imageconverter/engine/resize.py", ["tests/engine/test_resize.py"]),
        ("shared/imageconverter/keys.py", ["tests"]),
        ("shared/rare_formats/xcf.py", ["tests/rare_formats/test_xcf.py"]),
        ("tests/engine/test_resize.py", ["tests/engine/test_resize.py"]),
        ("tests/previews/conftest.py", ["tests/previews"]),
        ("tests/testing/xcf_files.py", ["tests/rare_formats/test_xcf.py"]),
        ("tests/conftest.py", ["tests"]),
        ("pyproject.toml", ["tests"]),
        ("shared/imageconverter/previews/evict.lua", ["tests/previews"]),
        ("openapi/images.yaml", ["tests/contract"]),
        ("docs/operations.md", ["tests/documents"]),
        ("bench/cpu.py", []),
    ],
)
def test_the_tests_that_mirror_a_file_are_selected(tmp_path: Path, changed: str, selected: list[str]) -> None:
    """In a tree that has only these tests."""
    for file in (
        *(
            "gateway/imageconverter_api/test_multipart.py",
            "gateway/http/test_bodies.py",
            "engine/test_resize.py",
            "rare_formats/test_xcf.py",
        ),
        *("previews/test_index.py", "testing/xcf_files.py"),
    ):
        (tmp_path / "tests" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tests" / file).touch()
    (tmp_path / "tests/rare_formats/test_xcf.py").write_text("from tests.testing import image_files, xcf_files\n")

    assert select([changed], tmp_path) == selected


def test_a_directory_covers_the_files_in_it() -> None:
    """No test is run twice."""
    assert select(["tests/previews/conftest.py", "tests/previews/test_index.py"]) == ["tests/previews"]
    assert select(["pyproject.toml", "tests/previews/test_index.py"]) == ["tests"]


def test_files_are_compared_with_main_and_on_main_with_the_commit_before(tmp_path: Path) -> None:
    """Uncommitted and unknown files count too."""

    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True)

    def commit(name: str) -> None:
        (tmp_path / name).write_text("1")
        git("add", ".")
        git("commit", "-m", name)

    git("init", "-b", "main")
    commit("first")
    commit("second")
    assert changed_files(tmp_path) == ["second"]

    git("checkout", "-b", "work")
    commit("third")
    commit("fourth")
    (tmp_path / "first").write_text("2")
    (tmp_path / "fifth").touch()
    assert changed_files(tmp_path) == ["fifth", "first", "fourth", "third"]
