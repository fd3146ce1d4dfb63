"""A backup of `up`, restored elsewhere."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.testing.running_stack import Stack, running_stack


def verify(stack: Stack) -> tuple[int, dict[str, str]]:
    """Run `imageconverter verify`; returns its status and the state of each comparison."""
    environment = {**os.environ, "IMAGECONVERTER_DATA_DIR": str(stack.folder / "data")}
    finished = subprocess.run(
        [sys.executable, "-m", "services.cli.main", "verify", "--json"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return finished.returncode, {each["subject"]: each["state"] for each in json.loads(finished.stdout)}


def test_a_copy_of_the_data_folder_is_a_backup(tmp_path: Path) -> None:
    """Images, keys and runs are there as before, and `verify` finds nothing wrong."""
    (tmp_path / "before").mkdir()
    with running_stack(tmp_path / "before") as stack:
        assert stack.convert("kept.jpg")[0] == 200
        key = stack.api_key
        image = stack.get("/content/products/thumbnail/kept.jpg")
    shutil.copytree(tmp_path / "before" / "data", tmp_path / "after" / "data", symlinks=True)

    with running_stack(tmp_path / "after") as restored:
        assert restored.api_key == key
        assert restored.get("/content/products/thumbnail/kept.jpg") == image
        assert restored.convert("new.jpg")[0] == 200
        status, states = verify(restored)
    assert (status, set(states.values())) == (0, {"ok"})
