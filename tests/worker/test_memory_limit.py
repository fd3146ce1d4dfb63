"""The memory limit of a worker's container."""

from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from imageconverter.settings import WorkerSettings
from services.worker.memory_limit import check_memory_limit, needed_mb

MEBIBYTE = 1024 * 1024


def logged(folder: Path, limit: str, **settings: Any) -> list[Any]:
    """Return what is logged under the memory *limit*, as the kernel writes it."""
    file = folder / "memory.max"
    file.write_text(f"{limit}\n")
    with capture_logs() as logs:
        check_memory_limit(WorkerSettings(**settings), files=[folder / "absent", file])
    return list(logs)


@pytest.mark.parametrize(
    ("children", "memory_mb", "needed"), [(1, 1024, 4096), (2, 1024, 5120), (4, 1024, 8192), (2, 256, 2048)]
)
def test_every_image_that_is_converted_at_once_may_need_its_limit(children: int, memory_mb: int, needed: int) -> None:
    """With one more than there are children, and half as many again; 1 GiB for everything else."""
    assert needed_mb(WorkerSettings(children=children, memory_mb=memory_mb)) == needed


def test_a_limit_that_is_too_small_is_logged(tmp_path: Path) -> None:
    """With both figures."""
    (log,) = logged(tmp_path, str(3072 * MEBIBYTE), children=2)

    assert (log["log_level"], log["limit_mib"], log["needed_mib"]) == ("warning", 3072, 5120)


@pytest.mark.parametrize("limit", [str(5120 * MEBIBYTE), "max", "9223372036854771712"])
def test_a_sufficient_limit_and_none_are_not_logged(tmp_path: Path, limit: str) -> None:
    """Version 2 of control groups writes "max" for no limit, version 1 a very large number."""
    assert logged(tmp_path, limit, children=2) == []
