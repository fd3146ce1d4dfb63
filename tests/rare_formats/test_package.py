"""The plugins as a package of their own: it can be built and used without anything else of this project."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import PIL
import pytest

from tests.testing import drawings, more_files

_SOURCE = Path(__file__).parents[2] / "shared" / "rare_formats"
_PROGRAM = """
import json, sys
sys.path[:0] = sys.argv[1:4]
from PIL import Image
Image.init() if sys.argv[4] == "first" else None
import rare_formats
Image.init()
try:
    import imageconverter
except ImportError:
    pass
opened = []
for path in sys.argv[5:]:
    with Image.open(path) as image:
        image.load()
        opened.append([image.format, type(image).__module__, image.size])
print(json.dumps({"file": rare_formats.__file__, "opened": opened, "loaded": sorted(sys.modules)}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the package."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=_SOURCE, check=True, capture_output=True)
    (built,) = folder.glob("pillow_rare_formats-*.whl")
    return built


@pytest.mark.parametrize("pillow_plugins", ["first", "last"])
def test_the_wheel_reads_files_without_this_project(wheel: Path, tmp_path: Path, pillow_plugins: str) -> None:
    """Whether Pillow's own plugins, two of which it replaces, were registered before it or are later."""
    files = {
        "XCF": more_files.layered_xcf(),
        "FITS": more_files.stretched_fits(),
        "XPM": more_files.xpm(version=2),
        "PM": more_files.pm(),
        "NIFF": more_files.niff(),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    packages = [str(Path(str(package.__file__)).parents[1]) for package in (np, PIL)]
    # Isolated, and without the site packages, among which this project is.
    command = [sys.executable, "-I", "-S", "-c", _PROGRAM, str(wheel), *packages, pillow_plugins]
    command += [str(tmp_path / name) for name in files]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path)
    found = json.loads(printed.stdout)

    assert found["file"].startswith(str(wheel))
    assert [name for name, _, _ in found["opened"]] == list(files)
    assert {module.split(".")[0] for _, module, _ in found["opened"]} == {"rare_formats"}
    assert {tuple(size) for _, _, size in found["opened"]} == {drawings.SIZE}
    assert not {"imageconverter", "services"} & set(found["loaded"])
