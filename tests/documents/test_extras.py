"""Extras are installed from their lock, by `make run` and by the container's build, if they are asked for."""

import re
import subprocess
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_INSTALLS = "install --quiet --disable-pip-version-check --require-hashes -r requirements/heic.txt"


def _planned(*arguments: str) -> str:
    """Return what `make run` would do in a new environment."""
    command = ["make", "--dry-run", "run", "VENV=nowhere", *arguments]
    return subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=True).stdout


def test_make_run_installs_an_extra_if_it_is_asked_for() -> None:
    """After everything else, and before the start."""
    planned = _planned("EXTRAS=heic")

    assert _INSTALLS not in _planned()
    assert planned.index("embedded.txt") < planned.index(_INSTALLS) < planned.index("imageconverter up")


def test_make_run_refuses_an_unknown_extra() -> None:
    """Rather than to start without it."""
    with pytest.raises(subprocess.CalledProcessError):
        _planned("EXTRAS=unknown")


def test_the_container_is_built_with_an_extra_if_it_is_asked_for() -> None:
    """By an argument, which Docker Compose takes from `.env`."""
    dockerfile = (_ROOT / "Dockerfile").read_text()

    assert re.search(r"^ARG EXTRAS=$", dockerfile, re.MULTILINE)
    for extra in ("heic", "faces", "tracing", "sentry"):
        assert f" requirements/{extra}.txt " in dockerfile
    assert "for set in runtime $EXTRAS" in dockerfile
    assert 'EXTRAS: "${IMAGECONVERTER_EXTRAS:-}"' in (_ROOT / "docker-compose.yml").read_text()
    assert "# IMAGECONVERTER_EXTRAS=heic" in (_ROOT / ".env.example").read_text()
