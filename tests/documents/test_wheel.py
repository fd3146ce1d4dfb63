"""The project's wheel has all that a running service needs."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

_ROOT = Path(__file__).parents[2]
_NOT_SHIPPED = {"rare_formats/README.md", "rare_formats/pyproject.toml"}


def test_the_wheel_has_every_file_of_the_packages(tmp_path: Path) -> None:
    """Modules, scripts for Redis, the formats, the documents of the APIs and the console, and nothing else."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=_ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("imageconverter_stack-*.whl")
    packages = {"services": _ROOT, "imageconverter": _ROOT / "shared", "rare_formats": _ROOT / "shared"}
    expected = {
        path.relative_to(root).as_posix()
        for name, root in packages.items()
        for path in (root / name).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    shipped = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}

    assert shipped == expected - _NOT_SHIPPED
    console = {name for name in shipped if name.startswith("services/gateway/console/")}
    assert {Path(name).suffix for name in shipped - console} == {".py", ".lua", ".toml", ".yaml", ".typed"}
    code = {".py", ".html", ".css", ".js", ".svg", ".po", ".toml", ".txt"}
    assert {Path(name).suffix for name in console} == code | {".sh", ".mjs", ".php"}
    assert "imageconverter/images/formats.toml" in shipped
