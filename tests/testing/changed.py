"""Select the tests of what has changed: `python -m tests.testing.changed` prints the arguments for pytest.

The tree of tests mirrors the tree of code. If a file has no tests of its own, those of its directory are selected.
"""

import subprocess
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]
_EVERYTHING = ("pyproject.toml", "requirements/", "tests/conftest.py", "tests/__init__.py", "Makefile", ".ci/")
_CODE = ("shared/imageconverter/", "shared/", "services/")  # parts that test paths omit
_DIRECTORIES = {
    "openapi/": "tests/contract",
    "docker/redis.acl": "tests/stack",
    "helm/": "tests/helm",
    "bench/": None,
    "tests/compose/": None,
}  # None: no tests, or with Docker


def changed_files(root: Path = ROOT) -> list[str]:
    """Return the files that differ from the branch main or, on main itself, from the last commit but one.

    Files that git does not know yet are included. Raises CalledProcessError if git cannot compare.
    """
    head, base = _git(root, "rev-parse", "HEAD"), _git(root, "merge-base", "main", "HEAD")
    differing = _git(root, "diff", "--name-only", *(["HEAD~1"] if base == head else base))
    return sorted({*differing, *_git(root, "ls-files", "--others", "--exclude-standard")})


def select(files: Iterable[str], root: Path = ROOT) -> list[str]:
    """Return the files and directories of tests to run for *files*; `tests` alone stands for all."""
    found = {test for file in files for test in _tests_of(file, root)}
    return sorted(test for test in found if not any(parent.as_posix() in found for parent in Path(test).parents))


def _tests_of(file: str, root: Path) -> set[str]:
    if file.startswith(_EVERYTHING):
        return {"tests"}
    for prefix, directory in _DIRECTORIES.items():
        if file.startswith(prefix):
            return {directory} if directory else set()
    if file.startswith("tests/"):
        return _tests_of_test(Path(file), root)
    for prefix in _CODE:
        if file.startswith(prefix) and not file.endswith(".md"):
            return _mirrored(Path("tests") / file.removeprefix(prefix), root)
    return {"tests/documents"}


def _mirrored(path: Path, root: Path) -> set[str]:
    own = {each.relative_to(root).as_posix() for each in (root / path.parent).glob(f"test_{path.stem}*.py")}
    if own:
        return own
    return {next(parent for parent in path.parents if (root / parent).is_dir()).as_posix()}


def _tests_of_test(path: Path, root: Path) -> set[str]:
    if path.name == "conftest.py":
        return {path.parent.as_posix()}
    if path.name.startswith("test_") or path.suffix != ".py":
        return {path.as_posix()} if path.suffix == ".py" and (root / path).exists() else {path.parent.as_posix()}
    module = ".".join(path.with_suffix("").parts)
    package, _, name = module.rpartition(".")
    importing: set[str] = set()
    for other in sorted((root / "tests").rglob("*.py")):
        text = other.read_text(encoding="utf-8")
        imported = f"from {module} import" in text or (f"from {package} import" in text and name in text)
        if imported and other != root / path:
            importing |= _tests_of_test(other.relative_to(root), root)
    return importing or {"tests"}


def _git(root: Path, *arguments: str) -> list[str]:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


if __name__ == "__main__":
    print(*select(changed_files()))  # noqa: T201 - for the shell
