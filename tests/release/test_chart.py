"""The package of the Helm chart."""

import subprocess
import sys
import tarfile
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

_ROOT = Path(__file__).parents[2]
_CHART = _ROOT / "helm" / "imageconverter"

pytestmark = pytest.mark.skipif(
    find_spec("helm_python") is None, reason="Helm's code is not installed: run `make dist`"
)


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two packages of the same chart, made in processes of their own: Helm's code is Go, whose threads would stay."""
    folders = [tmp_path_factory.mktemp("chart") for _ in range(2)]
    for folder in folders:
        code = f"from pathlib import Path; from release import chart; chart.build(Path({str(folder)!r}), 1700000000)"
        subprocess.run([sys.executable, "-c", code], cwd=_ROOT, check=True)
    return [next(folder.iterdir()) for folder in folders]


def test_the_package_has_the_files_of_the_chart(packages: list[Path]) -> None:
    """Values, schema and templates among them, unchanged."""
    with tarfile.open(packages[0]) as archive:
        packed = {
            member.name.partition("/")[2]: file.read()
            for member in archive
            if (file := archive.extractfile(member)) is not None
        }

    described = yaml.safe_load(packed.pop("Chart.yaml"))  # Helm writes it anew
    assert described == yaml.safe_load((_CHART / "Chart.yaml").read_text())
    assert packed == {
        path.relative_to(_CHART).as_posix(): path.read_bytes()
        for path in _CHART.rglob("*")
        if path.is_file() and path.name != "Chart.yaml"
    }


def test_a_second_package_is_the_same(packages: list[Path]) -> None:
    """Byte for byte."""
    first, second = (each.read_bytes() for each in packages)

    assert first == second
