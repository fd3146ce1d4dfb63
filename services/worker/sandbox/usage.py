"""What another process uses, as the kernel reports it."""

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_PER_SECOND = 1_000_000_000
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class Usage(NamedTuple):
    """What a process has used since its start."""

    cpu: float
    """Seconds of CPU time, of all threads."""
    delay: float
    """Seconds in which it could have run, but the processors were busy with others; 0 if the kernel does not say."""
    threads: int
    """The number of its threads now."""
    resident: int
    """Bytes of memory now, shared memory included."""


def usage(pid: int) -> Usage:
    """Return what a process has used; all 0 if it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return Usage(0.0, 0.0, 0, 0)
    fields = dict(line.split(":", 1) for line in status.splitlines() if line.startswith(("Threads:", "VmRSS:")))
    delay = 0
    with suppress(OSError, IndexError):
        delay = int(Path(f"/proc/{pid}/schedstat").read_text().split()[1])
    resident = int(fields.get("VmRSS", "0 kB").split()[0]) * 1024
    return Usage(cpu_seconds(pid), delay / _PER_SECOND, int(fields["Threads"]), resident)


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process, in seconds, in steps of 10 ms; 0 if it has ended."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:  # noqa: PTH123 - faster: it is read for each image
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND


def lower_priority(pid: int, steps: int) -> None:
    """Let the processors work for others first, for good: only a privileged worker could undo it.

    *steps* are added to the niceness of this process.
    """
    niceness = os.getpriority(os.PRIO_PROCESS, 0) + steps  # the kernel takes 19 for more
    with suppress(OSError):  # it has ended
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, int(thread.name), niceness)
