"""The wheels have all that a running service needs, and nothing else."""

import subprocess
import tomllib
from email import message_from_string
from pathlib import Path
from zipfile import ZipFile

import pytest

from imageconverter import __version__
from release import wheels

_ROOT = Path(__file__).parents[2]
_EPOCH = 1_700_000_000
_NOT_SHIPPED = {"rare_formats/README.md", "rare_formats/pyproject.toml"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The wheels of the project and of the plugins for rare file types."""
    return wheels.build(tmp_path_factory.mktemp("wheels"), _EPOCH)


@pytest.fixture
def wheel(built: list[Path]) -> ZipFile:
    """The wheel of the project."""
    return ZipFile(built[0])


def metadata(wheel: ZipFile) -> dict[str, list[str]]:
    """Return the fields of a wheel's metadata."""
    (name,) = [each for each in wheel.namelist() if each.endswith(".dist-info/METADATA")]
    message = message_from_string(wheel.read(name).decode())
    return {field: message.get_all(field, []) for field in message}


def test_the_wheel_has_every_file_of_the_packages(wheel: ZipFile) -> None:
    """Modules, scripts for Redis, the formats, the documents of the APIs and the console, and nothing else."""
    packages = {"services": _ROOT, "imageconverter": _ROOT / "shared", "rare_formats": _ROOT / "shared"}
    expected = {
        path.relative_to(root).as_posix()
        for name, root in packages.items()
        for path in (root / name).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    shipped = {name for name in wheel.namelist() if ".dist-info/" not in name}

    assert shipped == expected - _NOT_SHIPPED
    console = {name for name in shipped if name.startswith("services/gateway/console/")}
    assert {Path(name).suffix for name in shipped - console} == {".py", ".lua", ".toml", ".yaml", ".typed"}
    code = {".py", ".html", ".css", ".js", ".svg", ".po", ".toml", ".txt"}
    assert {Path(name).suffix for name in console} == code | {".sh", ".mjs", ".php"}
    assert "imageconverter/images/formats.toml" in shipped


def test_the_wheel_has_only_files_of_the_repository(wheel: ZipFile) -> None:
    """No data, no credentials and no test: what git does not know is not shipped."""
    listed = subprocess.run(["git", "ls-files"], cwd=_ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this is no checkout of git")
    known = set(listed.stdout.splitlines())

    for name in wheel.namelist():
        if ".dist-info/" not in name:
            assert {name, f"shared/{name}"} & known, name
            assert not name.startswith("tests/")
            assert not Path(name).name.startswith("test_")


def test_the_wheel_says_what_it_is(wheel: ZipFile) -> None:
    """With the version of the package, its command, and the licenses of the project and of all others."""
    fields = metadata(wheel)
    info = f"imageconverter_stack-{__version__}.dist-info"

    assert fields["Version"] == [__version__]
    assert fields["License-Expression"] == ["Apache-2.0"]
    assert "imageconverter = services.cli.main:run" in wheel.read(f"{info}/entry_points.txt").decode()
    for name in ("LICENSE", "docs/licenses.md"):
        assert wheel.read(f"{info}/licenses/{name}") == (_ROOT / name).read_bytes()


def test_the_wheel_requires_what_the_project_names(wheel: ZipFile) -> None:
    """And nothing of what tests it."""
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]
    required = metadata(wheel)["Requires-Dist"]

    assert len([each for each in required if "extra ==" not in each]) == len(project["dependencies"])
    assert not [each for each in required if each.startswith(("pytest", "mypy", "hatchling"))]


def test_the_plugins_have_a_wheel_of_their_own(built: list[Path]) -> None:
    """It has their modules alone, and requires Pillow and numpy."""
    plugins = ZipFile(built[1])
    modules = [name for name in plugins.namelist() if ".dist-info/" not in name]

    assert "rare_formats/xcf/__init__.py" in modules
    assert all(name.startswith("rare_formats/") for name in modules)
    assert {each.partition(">")[0] for each in metadata(plugins)["Requires-Dist"]} == {"numpy", "pillow"}


def test_a_second_build_is_the_same(built: list[Path], tmp_path: Path) -> None:
    """Byte for byte: who doubts a release can make it again."""
    assert [each.read_bytes() for each in wheels.build(tmp_path, _EPOCH)] == [each.read_bytes() for each in built]
