"""The memory limit of a worker's container, and whether it is large enough."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from imageconverter.settings import MEGABYTE, WorkerSettings
from services.worker.sandbox.scheduler import Scheduler

_log = structlog.get_logger(__name__)

_LIMIT_FILES: Final = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
# The worker itself, idle sandbox processes, and the sources and outputs of jobs in progress.
_OTHER_MB: Final = 1024


def needed_mb(settings: WorkerSettings) -> int:
    """Return the memory that a worker may need, in MiB: for as many images as it converts at once, and its own."""
    return Scheduler(cores=settings.process_count).max_running * settings.memory_mb + _OTHER_MB


def check_memory_limit(settings: WorkerSettings, *, files: Sequence[Path] = _LIMIT_FILES) -> None:
    """Log a warning if the control group, of version 2 or 1, allows less memory than the worker may need."""
    needed = needed_mb(settings)
    for file in files:
        with suppress(OSError, ValueError):  # no such version; "max" is no limit
            limit = int(file.read_text()) // MEGABYTE
            if limit < needed:
                _log.warning("memory limit too small", limit_mib=limit, needed_mib=needed)
