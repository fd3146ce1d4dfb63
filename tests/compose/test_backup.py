"""Backups of the stack of docker-compose.yml, restored by the commands of the documents."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compose.stack import IMAGE, ROOT, Stack, docker, photograph, run, until
from tests.documents.code_blocks import code_blocks

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("_engine")]


def blocks(document: str) -> list[str]:
    """Return the commands of *document* that are run here."""
    found = [
        each
        for each in code_blocks(ROOT / "docs" / document)
        if each.not_run == "tests/compose/test_backup.py runs it"
    ]
    return [each.text for each in found]


BACKUP, RESTORE = blocks("backup.md")
COPY, RESTORE_COPY = blocks("docker.md")


@pytest.fixture
def own(_engine: None, tmp_path: Path) -> Iterator[Stack]:
    """A small stack, beside that of the other tests; it has an image and a catalog."""
    own = Stack(tmp_path, workers=1)
    own.compose("build", "--quiet")  # nothing is built if another test has done so
    try:
        own.up()
        (row,) = own.convert(photograph(640, 480), "kept.jpg")
        assert row["status"] == "success"
        own.request("PUT", "images/catalog/products?as=csv", b"id,active,images\n1,true,kept.jpg\n")
        yield own
    finally:
        own.down("--volumes")


def run_script(stack: Stack, folder: Path, script: str) -> None:
    """Run the commands of a document in *folder*, with the project, the files and the image of *stack*."""
    project = stack.project
    adapted = (
        script.replace("docker compose up -d --wait", stack.command("up", *stack.up_options))
        .replace("docker compose create --build", stack.command("create", "--no-build", "--pull", "never"))
        .replace("docker compose", stack.command())
        .replace("imageconverter_$volume", f"{project}_$volume")
        .replace("imageconverter -m tarfile", f"{IMAGE} -m tarfile")
    )
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", adapted],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, f"{adapted}\n{done.stderr}{done.stdout}"


def is_as_before(stack: Stack, kept: bytes) -> bool:
    """Whether the image and the catalog are there, and images can be converted."""
    (row,) = stack.convert(photograph(320, 240), "new.jpg")
    entries = stack.request("GET", "images/catalog/products")["entries"]
    return (row["status"], entries, stack.download("products/normal/kept.jpg")) == ("success", 1, kept)


def test_a_backup_of_the_running_stack_is_restored_into_an_empty_one(own: Stack, tmp_path: Path) -> None:
    """Both volumes are lost."""
    kept = own.download("products/normal/kept.jpg")
    run_script(own, tmp_path, BACKUP)
    own.down("--volumes")
    run_script(own, tmp_path, RESTORE)
    assert is_as_before(own, kept)

    own.compose("rm", "--stop", "--force", "redis")  # Redis alone is lost; the roles run
    docker("volume", "rm", f"{own.project}_redis")
    own.up()
    (worker,) = own.containers("worker")
    until(lambda: "error" not in _verified(worker), "Redis is rebuilt", seconds=60)
    assert is_as_before(own, kept)


def _verified(container: str) -> str:
    """Return what `imageconverter verify` prints; it fails until Redis is rebuilt."""
    done = run("docker", "exec", container, "imageconverter", "verify")
    return done.stdout + done.stderr


def test_a_copy_of_the_volumes_is_restored(own: Stack, tmp_path: Path) -> None:
    """On a new machine."""
    kept = own.download("products/normal/kept.jpg")
    run_script(own, tmp_path, COPY)
    own.down("--volumes")
    run_script(own, tmp_path, RESTORE_COPY)
    assert is_as_before(own, kept)
