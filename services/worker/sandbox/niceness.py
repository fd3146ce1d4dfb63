"""How far a sandbox process stands back if there are more of them than processors."""

from enum import IntEnum


class Niceness(IntEnum):
    """Steps of the kernel: with ten more, a process gets a tenth of the time of another one."""

    INTERACTIVE = 0
    BATCH = 10
    EXPENSIVE = 11
