"""The linters and generators from npm that `make openapi` installs beside the Python environment."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_PROGRAMS = Path(sys.prefix) / "openapi" / "node_modules" / ".bin"
_NO_TELEMETRY = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "DO_NOT_TRACK": "1"}

RULES = Path(__file__).parents[1] / "contract" / "generators"
"""The configuration of these tools."""


def run_node_tool(name: str, *arguments: str | Path, folder: Path) -> str:
    """Run a tool in *folder* and return what it prints; skips the test if it is not installed.

    Raises AssertionError if the tool fails.
    """
    program = _PROGRAMS / name
    if not program.exists():
        pytest.skip("the linters and generators from npm are not installed: run `make openapi`")
    finished = subprocess.run(
        [program, *arguments],
        cwd=folder,
        env={**os.environ, **_NO_TELEMETRY},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout
    return finished.stdout
