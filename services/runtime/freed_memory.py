"""What the C library does with memory that the process has freed."""

import ctypes
from typing import Final

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3  # of malloc.h
_KEPT_BYTES: Final = 64 << 20
_TOP_PAD_BYTES: Final = 16 << 20
_MMAP_BYTES: Final = 4 << 20


def keep_freed_memory() -> None:
    """Keep up to 64 MiB of freed memory instead of returning it to the kernel.

    Images come and go; getting zeroed memory for each halves the speed at which they are received. Does nothing
    with a C library other than glibc.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
    mallopt(_M_TOP_PAD, _TOP_PAD_BYTES)
    mallopt(_M_MMAP_THRESHOLD, _MMAP_BYTES)
