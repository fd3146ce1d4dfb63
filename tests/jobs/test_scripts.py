"""The form of the Lua scripts."""

import re
from importlib.resources import files
from pathlib import Path

import pytest

_PACKAGES = (
    "imageconverter.jobs",
    "imageconverter.runs",
    "imageconverter.previews",
    "imageconverter.webhooks",
    "services.gateway.auth",
    "services.gateway.idempotency",
)
SCRIPTS = [each for package in _PACKAGES for each in Path(str(files(package))).glob("*.lua")]
_BINDING = re.compile(r"local [\w, ]+ = [^\n]*\b(?:KEYS|ARGV)\b[^\n]*")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_script_names_its_arguments_in_its_first_lines(script: Path) -> None:
    """Below them no argument is known by its number."""
    lines = [line for line in script.read_text().splitlines() if not line.startswith("--")]
    while lines and (not lines[0] or _BINDING.fullmatch(lines[0])):
        del lines[0]

    assert [line for line in lines if re.search(r"\b(KEYS|ARGV)\[\d+\]", line)] == []


@pytest.mark.parametrize("script", [each for each in SCRIPTS if each.stem != "prelude"], ids=lambda path: path.stem)
def test_script_takes_the_time_from_the_prelude(script: Path) -> None:
    """In seconds or milliseconds, by the name of the function."""
    assert "'TIME'" not in script.read_text()
