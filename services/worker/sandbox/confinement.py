"""The limits that a sandbox process sets itself before it reads an image."""

import ctypes
import errno
import os
import resource
import signal
from pathlib import Path

from services.worker.sandbox import seccomp

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38

OUTPUT_BYTES = 256 * 1024 * 1024
"""All outputs of one image together."""
_OPEN_FILES = 32


def confine(memory_bytes: int, *, cpu_seconds: int, parent: int, filtered: bool) -> int | None:
    """Bound this process for good: memory, CPU time, files, no core dumps, no new privileges, dies with its *parent*.

    It may allocate *memory_bytes* more than it has, and use *cpu_seconds* until the kernel ends it. If it is
    *filtered*, only those system calls are left that a conversion needs; returns the descriptor of the filter's
    listener then, None if there is none. Raises OSError if the kernel refuses a limit: a process without its limits
    must not run.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    _prctl(libc, _PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it had ended before
        raise ProcessLookupError(errno.ESRCH, "the parent has ended")
    _prctl(libc, _PR_SET_NO_NEW_PRIVS, 1)
    _prctl(libc, _PR_SET_DUMPABLE, 0)
    _limit(resource.RLIMIT_AS, _address_space() + memory_bytes)
    _limit(resource.RLIMIT_CPU, cpu_seconds)
    _limit(resource.RLIMIT_FSIZE, OUTPUT_BYTES)
    _limit(resource.RLIMIT_NOFILE, _OPEN_FILES)
    _limit(resource.RLIMIT_CORE, 0)
    return seccomp.install_filter() if filtered else None


def end_with_parent() -> None:
    """Have the kernel end this process as soon as its parent ends."""
    _prctl(ctypes.CDLL(None, use_errno=True), _PR_SET_PDEATHSIG, signal.SIGKILL)


def raise_oom_score() -> None:
    """Ask the kernel to kill this process first if the machine runs out of memory."""
    try:
        Path("/proc/self/oom_score_adj").write_text("1000")
    except OSError:
        return  # only a preference


def _address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def _limit(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


def _prctl(libc: ctypes.CDLL, option: int, value: int) -> None:
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option} failed")
