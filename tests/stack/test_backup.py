"""Backups of `up`, restored by the commands of docs/backup.md, and what is rebuilt when something is lost."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.documents.code_blocks import ROOT, code_blocks
from tests.testing import image_files
from tests.testing.running_stack import Stack, running_stack

BACKUP, CONFIGURATION, RESTORE = [
    each.text
    for each in code_blocks(ROOT / "docs" / "backup.md")
    if each.not_run == "tests/stack/test_backup.py runs it"
]
KEY = "0123abcd"

pytestmark = pytest.mark.timeout(300)  # the first test starts two stacks


def run_script(folder: Path, data: Path, script: str) -> None:
    """Run a *script* of the document in *folder*, where the data folder is *data*."""
    programs = Path(sys.executable).parent
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script.replace(".data", str(data))],
        cwd=folder,
        env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "IMAGECONVERTER_DATA_DIR": str(data)},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr + done.stdout


def verify(stack: Stack) -> dict[str, tuple[str, str]]:
    """Run `imageconverter verify`; returns state and text of each comparison."""
    finished = subprocess.run(
        [sys.executable, "-m", "services.cli.main", "verify", "--json"],
        env={**os.environ, "IMAGECONVERTER_DATA_DIR": str(stack.folder / "data")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    found = json.loads(finished.stdout)
    assert finished.returncode == int("error" in {each["state"] for each in found})
    return {each["subject"]: (each["state"], each["text"]) for each in found}


def all_is_well(stack: Stack) -> bool:
    """Whether `verify` says so."""
    return {state for state, _ in verify(stack).values()} == {"ok"}


def send_image(stack: Stack, key: str, operation: str = "cacheImage", size: str = "") -> int:
    """Send an image to the ImageConverter API; returns the status."""
    body = (
        b'--b\r\nContent-Disposition: form-data; name="sourceImage"; filename="a.jpg"\r\n\r\n'
        + image_files.jpeg(size=(400, 300))
        + b"\r\n--b--\r\n"
    )
    path = f"/imageconverter/{operation}/{key}{size}"
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    request = urllib.request.Request(
        f"http://127.0.0.1:{stack.port}{path}", data=body, headers=headers, method="POST"
    )
    return stack.request(request)[0]


def put(stack: Stack, path: str, data: bytes) -> int:
    """Send *data* with the API key; returns the status."""
    headers = {"Authorization": f"Bearer {stack.api_key}"}
    address = f"http://127.0.0.1:{stack.port}{path}"
    return stack.request(urllib.request.Request(address, data=data, headers=headers, method="PUT"))[0]


def fill(stack: Stack) -> None:
    """Make something of each kind: an output, a source, a run, a preview, a catalog, a report."""
    assert stack.convert("kept.jpg")[0] == 200
    assert put(stack, "/images/sources/products/kept.jpg", image_files.jpeg(size=(400, 300))) == 200
    format_list = ["content.imageFormat.thumbnailProduct"]
    run = {"action": "manual", "source": "directory", "directory": "products", "formatList": format_list}
    assert stack.call("POST", "/images/convert/start", run)[0] == 200
    stack.until(lambda: [each["status"] for each in runs(stack)] == ["finished"], 60)
    assert send_image(stack, KEY) == 200
    assert put(stack, "/images/catalog/products?as=csv", b"id,active,images\n1,true,absent.jpg\n") == 200
    stack.call("POST", "/images/report", {})
    stack.until(lambda: stack.call("GET", "/images/report")[1].get("missingImages"), 60)
    stack.until(lambda: verify(stack)["runs"][1].startswith("0 runs"), 60)  # the run has ended in the store as well


def runs(stack: Stack) -> list[dict[str, Any]]:
    """Return the last runs."""
    items: list[dict[str, Any]] = stack.call("GET", "/images/convert/runs")[1]["items"]
    return items


def contents(stack: Stack) -> dict[str, Any]:
    """Return what clients see of all that `fill` has made."""
    report = stack.call("GET", "/images/report")[1]
    return {
        "output": stack.get("/content/products/thumbnail/kept.jpg"),
        "source": stack.call("GET", "/images/details/products/kept.jpg")[0],
        "runs": [(each["id"], each["status"]) for each in runs(stack)],
        "results": stack.call("GET", "/images/convert/results")[1]["items"],
        "preview": stack.get(f"/imageconverter/getImage/{KEY}/auto:200x150"),
        "missing": report["missingImages"],
        "unused": report["unusedImages"],
        "key": stack.api_key,
    }


@pytest.fixture(scope="module")
def restored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack restored on another machine from a backup that was made while the first one ran."""
    folder = tmp_path_factory.mktemp("backup")
    (folder / "before").mkdir()
    (folder / "after").mkdir()
    formats = (ROOT / "shared" / "imageconverter" / "images" / "formats.toml").read_text()
    (folder / "before" / "data").mkdir(mode=0o700)
    (folder / "before" / "data" / "formats.toml").write_text(formats + "# own\n")
    with running_stack(folder / "before") as stack:
        fill(stack)
        before = contents(stack)
        run_script(folder, stack.folder / "data", BACKUP)
    shutil.rmtree(folder / "before" / "data")

    run_script(folder, folder / "after" / "data", CONFIGURATION)
    with running_stack(folder / "after") as stack:
        run_script(folder, folder / "after" / "data", RESTORE)
        assert all_is_well(stack)
        assert contents(stack) == before
        assert "# own" in (folder / "after" / "data" / "formats.toml").read_text()
        yield stack


def end_redis(stack: Stack) -> None:
    """Kill Redis, which `up` starts again."""
    redis = next(pid for pid, command in stack.processes().items() if "redis-server" in command)
    os.kill(redis, signal.SIGKILL)
    stack.until(lambda: any("redis-server" in c for pid, c in stack.processes().items() if pid != redis))
    stack.wait_until_ready()


@pytest.mark.parametrize("older", [False, True], ids=["lost", "older"])
def test_a_redis_that_is_lost_or_older_is_rebuilt(restored: Stack, tmp_path: Path, *, older: bool) -> None:
    """By a reporter, or if it is too little older to be noticed, by the command that `verify` advises."""
    before = contents(restored)
    folder = restored.folder / "data" / "redis"
    shutil.copytree(folder, tmp_path / "copy", ignore=shutil.ignore_patterns("*.conf", "*.sock"))
    if older:
        assert send_image(restored, "after-the-backup") == 200
    for path in folder.glob("appendonly*"):  # a file or a folder, by the version of Redis
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    if older:
        shutil.copytree(tmp_path / "copy", folder, dirs_exist_ok=True)
    end_redis(restored)
    if older:
        run_script(tmp_path, restored.folder / "data", "until imageconverter reindex; do sleep 1; done")

    restored.until(lambda: all_is_well(restored), seconds=60)
    assert contents(restored) == before


def test_a_bucket_that_is_lost_is_restored(restored: Stack) -> None:
    """Redis is there and newer than the backup: what it alone knows is counted, and clients send it again."""
    before = contents(restored)
    assert send_image(restored, "after-the-backup") == 200
    values = dict(re.findall(r"^(\w+)=(.*)$", (restored.folder / "data" / "running.env").read_text(), re.MULTILINE))
    bucket = boto3.resource(
        "s3",
        endpoint_url=values["IMAGECONVERTER_S3_ENDPOINT"],
        aws_access_key_id=values["IMAGECONVERTER_S3_ACCESS_KEY"],
        aws_secret_access_key=values["IMAGECONVERTER_S3_SECRET_KEY"],
        region_name="us-east-1",
    ).Bucket("imageconverter")
    bucket.objects.all().delete()
    run_script(restored.folder.parent, restored.folder / "data", RESTORE)

    assert contents(restored) == before
    state, text = verify(restored)["previews"]
    assert (state, text.rpartition("; ")[2]) == ("warning", "1 in the index only")
    assert send_image(restored, "after-the-backup", "cacheAndGetImage", "/auto:200x150") == 200
    restored.until(lambda: all_is_well(restored), 60)


def test_a_copy_of_the_data_folder_is_a_backup(tmp_path: Path) -> None:
    """Images, keys and runs are there as before, and `verify` finds nothing wrong."""
    (tmp_path / "before").mkdir()
    with running_stack(tmp_path / "before") as stack:
        assert stack.convert("kept.jpg")[0] == 200
        key = stack.api_key
        image = stack.get("/content/products/thumbnail/kept.jpg")
    shutil.copytree(tmp_path / "before" / "data", tmp_path / "after" / "data", symlinks=True)

    with running_stack(tmp_path / "after") as again:
        assert again.api_key == key
        assert again.get("/content/products/thumbnail/kept.jpg") == image
        assert again.convert("new.jpg")[0] == 200
        assert all_is_well(again)
