"""The wheels: the project, and the plugins for rare file types, which are a distribution of their own too."""

import os
import subprocess
import sys
from pathlib import Path

from release.licenses import ROOT

PROJECTS = (ROOT, ROOT / "shared" / "rare_formats")


def build(folder: Path, epoch: int) -> list[Path]:
    """Build both wheels into *folder*; all of their files get the time *epoch*, in seconds since 1970."""
    before = set(folder.glob("*.whl"))
    for project in PROJECTS:
        subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder.resolve())],
            cwd=project,
            env={**os.environ, "SOURCE_DATE_EPOCH": str(epoch)},
            capture_output=True,
            check=True,
        )
    return sorted(set(folder.glob("*.whl")) - before)
