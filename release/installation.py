"""Whether a wheel works alone: installed by pipx as a user does it, converting an image, and starting the stack."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from http import HTTPStatus
from pathlib import Path

from PIL import Image

from imageconverter import __version__
from release.licenses import ROOT
from services.stack.ports import free_ports

_SECONDS = 120


def install(wheel: Path, folder: Path) -> Path:
    """Install *wheel* and what `up` starts, in locked versions, below *folder*; returns the command."""
    constraints = folder / "constraints.txt"
    lock = (ROOT / "requirements" / "embedded.txt").read_text(encoding="utf-8")
    # Without hashes, which pip would ask for of the wheel as well.
    constraints.write_text("\n".join(re.findall(r"(?m)^[\w.-]+==[^\\\n]+", lock)), encoding="utf-8")
    subprocess.run(
        [
            *(sys.executable, "-m", "pipx", "install", "--backend", "pip", "--python", sys.executable),
            *("--pip-args", f"--constraint {constraints}", f"imageconverter-stack[embedded] @ {wheel.as_uri()}"),
        ],
        cwd=folder,
        env={**_environment(), **{f"PIPX_{name}": str(folder / name) for name in ("HOME", "BIN_DIR", "MAN_DIR")}},
        check=True,
    )
    return folder / "BIN_DIR" / "imageconverter"


def packages(folder: Path) -> Path:
    """Return where `install` has put the Python packages."""
    (found,) = folder.glob("HOME/venvs/*/lib/python*/site-packages")
    return found


def check(command: Path, folder: Path) -> None:
    """Let the installed *command* print its version, convert an image, and run the stack; raises RuntimeError."""
    printed = subprocess.run([command, "--version"], cwd=folder, capture_output=True, text=True, check=True).stdout
    _require(printed == f"imageconverter {__version__}\n", f"--version printed {printed!r}")
    source, results = folder / "source.png", folder / "results"
    Image.linear_gradient("L").resize((640, 480)).save(source)
    options = ["--local", "--width", "100", "--height", "100", "--output-type", "jpeg", "--output", str(results)]
    subprocess.run([command, "convert", source, *options], cwd=folder, env=_environment(), check=True)
    (result,) = results.iterdir()
    with Image.open(result) as image:
        _require((image.format, image.size) == ("JPEG", (100, 75)), f"convert wrote {image}")
    _check_stack(command, folder)


def _check_stack(command: Path, folder: Path) -> None:
    (port,) = free_ports(1)
    environment = _environment() | {
        "IMAGECONVERTER_PORT": str(port),
        "IMAGECONVERTER_DATA_DIR": str(folder / "data"),
    }
    log = folder / "up.log"
    with log.open("w") as output, subprocess.Popen(
        [command, "up"], cwd=folder, env=environment, stdout=output, stderr=output
    ) as process:  # fmt: skip
        try:
            deadline = time.monotonic() + _SECONDS
            while not _is_ready(port):
                ends = process.poll() is not None or time.monotonic() > deadline
                _require(not ends, f"`imageconverter up` did not become ready:\n{log.read_text()}")
                time.sleep(0.1)
            process.send_signal(signal.SIGINT)
            status = process.wait(_SECONDS)
            _require(status in (0, 130), f"`imageconverter up` ended with {status}:\n{log.read_text()}")
        finally:
            process.kill()
    _require(not _is_ready(port), "a gateway is left over")


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=10) as response:
            return bool(response.status == HTTPStatus.OK)
    except (OSError, urllib.error.HTTPError):
        return False


def _environment() -> dict[str, str]:
    """Return the environment without settings, and without this project on the path."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("IMAGECONVERTER_", "PYTHON", "VIRTUAL_ENV", "PIPX_"))
    }


def _require(condition: object, problem: str) -> None:
    if not condition:
        raise RuntimeError(problem)
