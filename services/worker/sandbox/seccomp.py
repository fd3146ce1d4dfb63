"""The system calls that a sandbox process may make; the kernel refuses all others.

By then everything has been imported, so none is left that opens, makes or names a file, a socket or a process.
What remains works on memory, on threads of its own, and on the descriptors that the worker handed over.
"""

import ctypes
import errno
import fcntl
import os
from contextlib import suppress

from seccompy import Action, ArgCmp, CmpOp, Filter, FilterFlag, SeccompError, flag_supported, syscall_nr
from seccompy.notify import NotifSizes, sizes

ALLOWED = (
    # memory
    *("brk", "madvise", "mmap", "mprotect", "mremap", "munmap"),
    # open files
    *("close", "dup", "fstat", "lseek", "pread64", "read", "readv", "write", "writev"),
    # the channel to the worker
    *("recvmsg", "sendmsg"),
    # threads; "clone" is below
    *("exit", "exit_group", "futex", "getpid", "gettid", "rseq", "sched_getaffinity", "sched_yield"),
    "set_robust_list",
    # its own signals
    *("restart_syscall", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack"),
    # time, chance, and what the machine is
    *("clock_getres", "clock_gettime", "clock_nanosleep", "getrandom", "getrusage", "gettimeofday", "nanosleep"),
    *("sysinfo", "times", "uname"),
)

_FCNTL_COMMANDS = (fcntl.F_DUPFD_CLOEXEC, fcntl.F_GETFD, fcntl.F_GETFL)  # F_SETOWN would let it send signals
_CLONE_THREAD = 0x00010000  # of linux/sched.h
_AT_EMPTY_PATH = 0x1000  # of linux/fcntl.h: the descriptor itself, as fstat of recent C libraries asks

# All threads at once: a library may have started one when it was imported. And without slowing this process down
# against speculative execution (kernels before 5.16): it holds no secret that it could be made to disclose.
_FLAGS = FilterFlag.TSYNC | FilterFlag.SPEC_ALLOW
_LISTENER_FLAGS = _FLAGS | FilterFlag.NEW_LISTENER | FilterFlag.TSYNC_ESRCH
_KNOWN_SIZES = NotifSizes(seccomp_notif=80, seccomp_notif_resp=24, seccomp_data=64)  # that seccompy can read
_SET_MODE_FILTER = 1  # of linux/seccomp.h
_INSTRUCTION_BYTES = 8


class _Program(ctypes.Structure):
    """struct sock_fprog of linux/filter.h."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def unavailable() -> str:
    """Return why this machine cannot filter system calls, or "" if it can."""
    try:
        return "" if flag_supported(_FLAGS) else "the kernel or the container has no seccomp filters"
    except SeccompError as error:
        return f"seccomp: {error.strerror or error}"


def prepare() -> None:
    """Load what `install_filter` needs, for all processes that are forked from this one.

    Finding the C library starts another program.
    """
    with suppress(OSError):
        sizes()


def install_filter() -> int | None:
    """Have the kernel refuse every other system call of this process, for good.

    Returns the descriptor of the filter's listener, which is for another process: it gets each refused call and has
    to answer it with EPERM. Returns None if there is no listener, because the kernel is too old or too new, or the
    container's own filter has one: the kernel itself answers EPERM then. Raises OSError.
    """
    with suppress(OSError):
        if sizes() == _KNOWN_SIZES:
            return _load(_filter(Action.USER_NOTIF), _LISTENER_FLAGS)
    _load(_filter(Action.ERRNO | errno.EPERM), _FLAGS)
    return None


def _filter(refuse: int) -> Filter:
    syscalls = Filter(refuse)
    for name in ALLOWED:
        syscalls.allow(name)
    for command in _FCNTL_COMMANDS:
        syscalls.allow("fcntl", args={1: command})
    syscalls.allow("newfstatat", args=[ArgCmp(3, CmpOp.MASKED_EQ, _AT_EMPTY_PATH, _AT_EMPTY_PATH)])
    syscalls.allow("tgkill", args={0: os.getpid()})  # abort() of the C library, a crash that names itself
    syscalls.allow("clone", args=[ArgCmp(0, CmpOp.MASKED_EQ, _CLONE_THREAD, _CLONE_THREAD)])
    syscalls.errno("clone3", errno.ENOSYS)  # its flags are in memory; "clone" is tried next
    return syscalls


def _load(syscalls: Filter, flags: int) -> int:
    """Load the filter; returns what the kernel does, a listener's descriptor with the flag for it.

    Not by `Filter.load`: it inspects a new listener with system calls that the filter refuses by then, and that
    nothing handles yet.
    """
    program = syscalls.program
    loaded = _Program(len(program) // _INSTRUCTION_BYTES, program)
    libc = ctypes.CDLL(None, use_errno=True)
    result: int = libc.syscall(syscall_nr("seccomp"), _SET_MODE_FILTER, int(flags), ctypes.byref(loaded))
    if result < 0:
        raise OSError(ctypes.get_errno(), "the seccomp filter cannot be installed")
    return result
