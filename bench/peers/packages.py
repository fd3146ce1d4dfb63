"""Installs what the comparison needs from npm, PyPI and Debian, into a folder outside of the repository."""

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

PYTHON_PACKAGES: Final = ("thumbor==7.8.*", "pyvips[binary]==3.*", "opencv-python-headless==5.*")
NPM_PACKAGES: Final = ("sharp@0.35", "ipx@3")


class MissingError(Exception):
    """A peer cannot be had; the message says why."""


def cache_folder() -> Path:
    """Return the folder that packages and photographs are kept in."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "imageconverter-bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@functools.cache
def python() -> Path:
    """Return the interpreter of a virtual environment with PYTHON_PACKAGES.

    Raises MissingError if they cannot be installed.
    """
    folder = cache_folder() / "python"
    interpreter = folder / "bin" / "python"
    if not interpreter.exists():
        _run([sys.executable, "-m", "venv", str(folder)])
    _run([str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PYTHON_PACKAGES])
    return interpreter


@functools.cache
def npm() -> Path:
    """Return a folder with NPM_PACKAGES; raises MissingError if they cannot be installed."""
    folder = cache_folder() / "npm"
    folder.mkdir(exist_ok=True)
    _run([program("npm"), "install", "--no-save", "--silent", "--prefix", str(folder), *NPM_PACKAGES])
    return folder


@functools.cache
def debian(package: str) -> Path:
    """Return a folder with the files of a Debian *package* and of those that it depends on, if not installed.

    Raises MissingError if they cannot be had.
    """
    root = cache_folder() / "debian" / package
    if not root.exists():
        archives = cache_folder() / "archives" / package
        (archives / "partial").mkdir(parents=True, exist_ok=True)
        options = ["-o", "Debug::NoLocking=1", "-o", f"Dir::Cache::archives={archives}", "--download-only"]
        _run([program("apt-get"), "-qq", "-y", *options, "--reinstall", "install", package])
        partial = root.with_name(f"{package}.partial")
        partial.mkdir(parents=True, exist_ok=True)
        for archive in sorted(archives.glob("*.deb")):
            _run([program("dpkg-deb"), "-x", str(archive), str(partial)])
        partial.rename(root)
    return root


def debian_program(package: str, path: str) -> list[str]:
    """Return the command of the program at *path* below / if it is installed, else of the *package* fetched.

    Raises MissingError if it cannot be had.
    """
    if (Path("/") / path).exists():
        return [f"/{path}"]
    root = debian(package)
    libraries = ":".join(str(folder) for folder in (root / "usr" / "lib").glob("*-linux-gnu"))
    return ["env", f"LD_LIBRARY_PATH={libraries}", str(root / path)]


def program(name: str) -> str:
    """Return the path of an installed program; raises MissingError if there is none."""
    if path := shutil.which(name):
        return path
    raise MissingError(f"{name} is not installed")


def _run(command: list[str]) -> None:
    finished = subprocess.run(command, check=False, capture_output=True, text=True)
    if finished.returncode:
        lines = (finished.stderr or finished.stdout).strip().splitlines() or ["no message"]
        raise MissingError(f"{Path(command[0]).name} failed: {lines[-1][:120]}")
