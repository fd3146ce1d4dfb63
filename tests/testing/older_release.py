"""The code of an older release, which runs beside this one with the same packages."""

import io
import subprocess
import sysconfig
import tarfile
import venv
from importlib.util import find_spec
from pathlib import Path

import pytest

from services.runtime.roles import ROLES

REVISION = "39ad32c877434e30e1770e90cd0ffb97b40e9923"
"""The last revision of the release before this one."""
_FOR_JPEG_XL = "pillow_jxl"  # which this release does not need; without it, the older one reads no JPEG XL
_ROOT = Path(__file__).parents[2]


def unpack(folder: Path) -> Path:
    """Put the code of the release into *folder*, and return a Python that imports it.

    Skips the test if the clone does not have it, as a shallow one, or if it does not start with the present packages.
    """
    archive = subprocess.run(
        ["git", "archive", REVISION, "services", "shared"], cwd=_ROOT, capture_output=True, check=False
    )
    if archive.returncode:
        pytest.skip(f"revision {REVISION} is not in this clone: {archive.stderr.decode().strip()}")
    code = folder / "code"
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(code, filter="data")
    # An environment of its own, because the sandbox starts a Python that ignores variables.
    venv.create(folder / "venv", symlinks=True)
    (packages,) = (folder / "venv").glob("lib/python*/site-packages")
    if find_spec(_FOR_JPEG_XL) is None:
        (packages / _FOR_JPEG_XL).mkdir()
        (packages / _FOR_JPEG_XL / "JpegXLImagePlugin.py").touch()
    paths = [code, code / "shared", sysconfig.get_path("purelib")]
    (packages / "older_release.pth").write_text("".join(f"{path}\n" for path in paths))
    python = folder / "venv" / "bin" / "python"
    modules = [*(f"{role}.main" for role in ("cli", *ROLES)), "worker.sandbox.program"]
    starts = "; ".join(f"import services.{module}" for module in modules)
    program = [str(python), "-P", "-c", f"{starts}; print(services.__file__)"]
    started = subprocess.run(program, capture_output=True, text=True, check=False)
    if started.returncode:
        pytest.skip(f"revision {REVISION} does not start with the present packages: {started.stderr[-500:]}")
    assert Path(started.stdout.strip()).is_relative_to(code)
    return python
