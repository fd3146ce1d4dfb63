"""Hosted CI tests what the project supports."""

import re
import tomllib
from pathlib import Path

import yaml
from packaging.specifiers import SpecifierSet

_ROOT = Path(__file__).parents[2]


def test_every_supported_python_is_tested() -> None:
    """The matrix of the workflow has the versions of pyproject.toml, and one of its jobs runs everything."""
    workflow = yaml.safe_load((_ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    supported = SpecifierSet(project["requires-python"])
    rows = workflow["jobs"]["test"]["strategy"]["matrix"]["include"]

    assert {row["python"] for row in rows} == {f"3.{minor}" for minor in range(30) if f"3.{minor}" in supported}
    assert [row["run"] for row in rows].count(".ci/run") == 1


def test_every_template_is_valid_yaml() -> None:
    """GitHub ignores a form or configuration that it cannot read."""
    files = [*_ROOT.glob(".github/**/*.yml")]

    assert len(files) >= 5
    for path in files:
        assert isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict), path


def test_ignored_updates_follow_the_pins() -> None:
    """Dependabot proposes no version that pyproject.toml excludes on purpose."""
    settings = yaml.safe_load((_ROOT / ".github" / "dependabot.yml").read_text(encoding="utf-8"))
    pins = (_ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (pip,) = [each for each in settings["updates"] if each["package-ecosystem"] == "pip"]
    ignored = {each["dependency-name"]: each["versions"] for each in pip["ignore"]}

    (arq,) = re.findall(r'"arq>=[\d.]+,<([\d.]+)"', pins)
    assert ignored["arq"] == [f">={arq}"]
