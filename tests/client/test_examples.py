"""The examples in Python, JavaScript and PHP, against a real gateway and worker."""

import asyncio
import io
import os
import shutil
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image

from tests.conftest import API_KEY
from tests.testing import image_files
from tests.testing.commands import address
from tests.testing.runs import Client

pytestmark = pytest.mark.usefixtures("no_run", "worker")

_ROOT = Path(__file__).parents[2]
_INTERPRETERS = {"client.py": sys.executable, "client.mjs": "node", "client.php": "php"}


def test_each_example_is_run() -> None:
    """And no other file is there."""
    assert {file.name for file in (_ROOT / "examples").iterdir() if file.is_file()} == _INTERPRETERS.keys()


@pytest.mark.parametrize("example", _INTERPRETERS)
async def test_an_example_works(gateway: Client, tmp_path: Path, example: str) -> None:
    """It writes the converted image to its folder, beside the photograph, and prints what it made."""
    interpreter = shutil.which(_INTERPRETERS[example])
    if interpreter is None:
        pytest.skip(f"{_INTERPRETERS[example]} is not installed")
    name = f"ä {uuid4().hex}.jpg"
    photograph = image_files.jpeg(size=(800, 600))
    (tmp_path / name).write_bytes(photograph)
    process = await asyncio.create_subprocess_exec(
        *(interpreter, _ROOT / "examples" / example, address(gateway), API_KEY, name),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{_ROOT}{os.pathsep}{_ROOT / 'shared'}"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()

    assert (process.returncode, err) == (0, b"")
    assert out.decode().startswith("success http://127.0.0.1:")
    assert f"examples/{name} " in out.decode()
    assert Image.open(io.BytesIO((tmp_path / f"thumbnail-{name}").read_bytes())).size == (200, 150)
    assert (tmp_path / name).read_bytes() == photograph
