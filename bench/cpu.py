"""CPU time and memory of processes, from /proc."""

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def descendants(pid: int) -> set[int]:
    """Return *pid* and all its descendants."""
    parents = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(process.name)] = int((process / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found, generation = {pid}, {pid}
    while generation:
        generation = {child for child, parent in parents.items() if parent in generation}
        found |= generation
    return found


def seconds(pids: set[int]) -> float:
    """Return the CPU time that *pids* have used so far, user and system, in seconds."""
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / _TICKS


def precise_seconds(pids: set[int]) -> float:
    """Return the CPU time that the threads of *pids* have used so far, in seconds; not those that have ended."""
    total = 0
    for pid in pids:
        for schedstat in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                total += int(schedstat.read_text().split()[0])
            except OSError:
                continue
    return total / 1e9


def peak_resident(pid: int) -> int:
    """Return the most memory that a process has had resident, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


def reset_peak_resident() -> None:
    """Let the peak of this process begin with what it has in memory now."""
    Path("/proc/self/clear_refs").write_text("5")


def named(pids: set[int], word: str) -> int:
    """Return the first of *pids* whose command line ends with *word* or whose program name contains it.

    Raises LookupError if there is none.
    """
    for pid in pids:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().split()
        if command and (command[-1] == word or word in command[0]):
            return pid
    raise LookupError(word)
