"""The files of others that the console serves."""

import hashlib
import re
import tomllib

from tests.console.catalogs import CONSOLE

VENDOR = CONSOLE / "assets" / "vendor"


def test_vendored_files_are_those_that_were_reviewed() -> None:
    """By their SHA-256; none is there that is not listed, and each package has its licence beside it."""
    packages = tomllib.loads((VENDOR / "vendored.toml").read_text())["package"]
    listed = {name: digest for package in packages for name, digest in package["files"].items()}

    assert {path.name for path in VENDOR.iterdir() if path.suffix in (".js", ".css", ".svg")} == set(listed)
    assert {name: hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() for name in listed} == listed
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", package["version"]) and package["licence"] for package in packages)
    assert len(list(VENDOR.glob("*-LICENSE.txt"))) == len(packages)
