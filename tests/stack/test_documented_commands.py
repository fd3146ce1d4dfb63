"""The commands in the documents work, beside a running stack."""

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.documents.code_blocks import ROOT, SHELL, all_code_blocks
from tests.testing.running_stack import Stack, running_stack

BLOCKS = all_code_blocks()
SCRIPTS = sorted({each.document for each in BLOCKS if each.language in SHELL and not each.not_run})
# What the readers of a document have in their folder.
_PHOTOGRAPHS = ("photo.jpg", "chair.jpg", "table.jpg", "side.jpg", "photos/cup.jpg", "photographs/lamp.jpg")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack that the documents' commands are run beside."""
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture
def checkout(tmp_path: Path, stack: Stack) -> Path:
    """The folder of a reader: a checkout with the data of the stack, and some files of the reader."""
    for path in ROOT.iterdir():
        if path.name not in {".data", ".venv", ".git", "site"}:
            (tmp_path / path.name).symlink_to(path)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / ".data").symlink_to(stack.folder / "data")
    for name in _PHOTOGRAPHS:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / "docs" / "images" / "sources" / "coffee.jpg", tmp_path / name)
    (tmp_path / "shop.csv").write_text("id,active,images\n4711,true,photo.jpg\n", encoding="utf-8")
    image = base64.b64encode((tmp_path / "photo.jpg").read_bytes()).decode()
    body = {"fileName": "photo.jpg", "imageData": image, "formats": ["content.imageFormat.thumbnailProduct"]}
    (tmp_path / "body.json").write_text(json.dumps(body), encoding="utf-8")
    recipes = [
        each.text for each in BLOCKS if each.language == "toml" and each.document.name == "formats-cookbook.md"
    ]
    for name in ("formats.toml", "new-formats.toml"):
        (tmp_path / name).write_text("\n".join(recipes), encoding="utf-8")
    (tmp_path / ".config" / "fish" / "completions").mkdir(parents=True)
    (tmp_path / ".curlrc").write_text("fail-with-body\nsilent\nshow-error\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("document", SCRIPTS, ids=lambda path: path.name)
def test_the_commands_of_a_document_work(document: Path, checkout: Path, stack: Stack) -> None:
    """They are run one after the other in one shell, beside the stack; the first that fails ends them."""
    blocks = [each for each in BLOCKS if each.document == document and each.language in SHELL and not each.not_run]
    script = "\n".join(f"echo '{each}' >&2\n{each.text}" for each in blocks)
    environment = {
        **os.environ,
        "HOME": str(checkout),
        "IMAGECONVERTER_PORT": str(stack.port),
        "IMAGECONVERTER_CACHE_DIR": str(checkout / ".cache"),
        "KEY": stack.api_key,
        "PATH": f"{checkout / '.venv' / 'bin'}:{os.environ['PATH']}",
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script.replace("127.0.0.1:8005", f"127.0.0.1:{stack.port}")],
        cwd=checkout,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, f"{done.stderr[-2000:]}\n{done.stdout[-2000:]}"


def test_the_programs_of_the_documents_run(checkout: Path, stack: Stack) -> None:
    """Blocks of Python that use the client library."""
    programs = [each for each in BLOCKS if each.language == "python" and "services.client" in each.text]
    for block in programs:
        text = block.text.replace("127.0.0.1:8005", f"127.0.0.1:{stack.port}")
        done = subprocess.run(
            [sys.executable, "-c", text],
            cwd=checkout,
            env={**os.environ, "KEY": stack.api_key},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{block}\n{done.stderr}"
    assert len(programs) >= 2
