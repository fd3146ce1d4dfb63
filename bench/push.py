"""`imageconverter push` of small files beside `rclone copy` to the same object store, then of them unchanged."""

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.photographs import photograph
from tests.testing.running_stack import Stack, running_stack

FILES = 1000
FILES_LONG = 10_000
_BYTES = 50_000
_MAX_SECONDS, _MAX_REQUESTS = 10, 12


def main() -> None:
    """Measure and print."""
    measure(FILES)


def long() -> None:
    """Measure as docs/benchmarks.md says."""
    measure(FILES_LONG)


def measure(files: int) -> None:
    """Send *files* files in both ways and print the seconds."""
    print(f"\n== push: {files} files of {_BYTES / 1000:g} kB")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _fill(folder / "files", files)
        (folder / "stack").mkdir()
        with running_stack(folder / "stack", IMAGECONVERTER_LOG_LEVEL="info") as stack:
            copied = _rclone(folder, stack)
            sent = _push(folder, stack, sent=files)
            before = _requests(stack)
            unchanged = _push(folder, stack, sent=0)
            requests = _requests(stack) - before
    beside = "" if copied is None else f", rclone copy {copied:.1f} s, ratio {sent / copied:.2f}"
    print(f"new: push {sent:.1f} s{beside}")
    target = f"(target {_MAX_REQUESTS} of {FILES_LONG:,})"
    print(f"unchanged: {unchanged:.2f} s (target {_MAX_SECONDS}), {requests} requests {target}")


def _fill(folder: Path, files: int) -> None:
    data = photograph(320, 240, 1)
    for number in range(files):
        path = folder / f"{number % 100:02}" / f"{number:05}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data + secrets.token_bytes(_BYTES - len(data)))
        os.utime(path, (1_700_000_000, 1_700_000_000))


def _push(folder: Path, stack: Stack, *, sent: int) -> float:
    server = ("--server", f"http://127.0.0.1:{stack.port}", "--key", stack.api_key)
    command = [
        sys.executable,
        "-m",
        "services.cli.main",
        "push",
        str(folder / "files"),
        "products",
        "--json",
        *server,
    ]
    environment = {**os.environ, "IMAGECONVERTER_CACHE_DIR": str(folder / "cache")}
    began = time.perf_counter()
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - began
    if len(json.loads(finished.stdout)["sent"]) != sent:
        raise RuntimeError(f"not {sent} files were sent: {finished.stdout[:1000]}")
    return seconds


def _rclone(folder: Path, stack: Stack) -> float | None:
    """Copy the files straight to the object store, with as many transfers at once as `push` has."""
    if shutil.which("rclone") is None:
        return None
    lines = (stack.folder / "data" / "running.env").read_text(encoding="utf-8").splitlines()
    settings = dict(line.split("=", 1) for line in lines)
    environment = {name: value for name, value in os.environ.items() if name != "AWS_CA_BUNDLE"} | {
        "RCLONE_CONFIG_S3_TYPE": "s3",
        "RCLONE_CONFIG_S3_PROVIDER": "Other",
        "RCLONE_CONFIG_S3_ENDPOINT": settings["IMAGECONVERTER_S3_ENDPOINT"],
        "RCLONE_CONFIG_S3_ACCESS_KEY_ID": settings["IMAGECONVERTER_S3_ACCESS_KEY"],
        "RCLONE_CONFIG_S3_SECRET_ACCESS_KEY": settings["IMAGECONVERTER_S3_SECRET_KEY"],
        "RCLONE_CONFIG": str(folder / "rclone.conf"),
    }
    command = ["rclone", "copy", "--transfers", "16", str(folder / "files"), "s3:imageconverter/source/rclone"]
    began = time.perf_counter()
    subprocess.run(command, env=environment, check=True)
    return time.perf_counter() - began


def _requests(stack: Stack) -> int:
    """Return the number of requests of the sources API that the gateway has logged."""
    logs = sorted((stack.folder / "data" / "logs").glob("gateway.log*"))
    text = "".join(log.read_text(encoding="utf-8") for log in logs)
    return sum('"event": "request"' in line and "/images/sources" in line for line in text.splitlines())
