"""What a child gives up before it touches a picture."""

import ctypes
import os
import resource
import signal
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38

_FILE_BYTES = 512 * 1024 * 1024  # of the memory file that the outputs go to
_OPEN_FILES = 32


def confine(memory_bytes: int) -> None:
    """Bound this process for good: address space, files, no core dumps, no new privileges, dies with its worker.

    Raises OSError where the kernel refuses one of them: a child without its limits must not run.
    """
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _prctl(_PR_SET_DUMPABLE, 0)
    _limit(resource.RLIMIT_AS, memory_bytes)
    _limit(resource.RLIMIT_FSIZE, _FILE_BYTES)
    _limit(resource.RLIMIT_NOFILE, _OPEN_FILES)
    _limit(resource.RLIMIT_CORE, 0)


def volunteer_for_oom() -> None:
    """Ask the kernel to kill this process first when the machine runs out of memory, where it lets us."""
    try:
        Path("/proc/self/oom_score_adj").write_text("1000")
    except OSError:
        return  # only a preference


def allow_cpu(seconds: float) -> None:
    """Let the kernel end this process after *seconds* more of CPU time, should nobody else do it."""
    used = sum(os.times()[:2])
    _limit_soft(resource.RLIMIT_CPU, int(used + seconds) + 1)


def _limit(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


def _limit_soft(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option} failed")
