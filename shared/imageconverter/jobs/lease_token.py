"""Tokens of leases, which name the process that holds them.

A worker that is started again on the same host recognizes the leases of a process that was killed, and need not wait
until they expire.
"""

import os
import uuid
from pathlib import Path
from typing import Final

_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
_PID_NAMESPACE: Final = Path("/proc/self/ns/pid")


def local_host() -> str:
    """Return what the tokens of all processes begin with that have process ids of the same set as this one.

    "" if the kernel does not say: no process is recognized then.
    """
    try:
        return f"{_BOOT.read_text().strip()}/{_PID_NAMESPACE.stat().st_ino}/"
    except OSError:
        return ""


def new_token() -> str:
    """Return a token of this process."""
    pid = os.getpid()
    return f"{local_host()}{pid}/{_started(pid)}/{uuid.uuid4().hex}"


def has_ended(token: str) -> bool:
    """Whether the process of a *token*, which begins with `local_host`, has ended."""
    *_, pid, started, _ = token.split("/")
    return _started(int(pid)) != started


def _started(pid: int) -> str:
    """Return when a process was started, in clock ticks since the boot; "" if there is none."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    state, *fields = status.rpartition(")")[2].split()
    return "" if state == "Z" else fields[18]
