"""The system calls that a child may make; the kernel refuses all others.

By then everything has been imported, so none is left that opens, makes or names a file, a socket or a process.
What remains works on memory, on threads of its own, and on the descriptors that the worker handed over.
"""

import errno
import fcntl
import os
import resource

from seccompy import Action, ArgCmp, CmpOp, Filter, FilterFlag, SeccompError, flag_supported

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
# against guesses of the processor (kernels before 5.16): it holds no secret that it could be made to tell itself.
_FLAGS = FilterFlag.TSYNC | FilterFlag.SPEC_ALLOW


def unavailable() -> str:
    """Return why this machine cannot filter system calls, or "" where it can."""
    try:
        return "" if flag_supported(_FLAGS) else "the kernel or the container has no seccomp filters"
    except SeccompError as error:
        return f"seccomp: {error.strerror or error}"


def install_filter() -> None:
    """Have the kernel answer EPERM to every other system call of this process, for good; raises SeccompError."""
    syscalls = Filter(Action.ERRNO | errno.EPERM, flags=_FLAGS)
    for name in ALLOWED:
        syscalls.allow(name)
    for command in _FCNTL_COMMANDS:
        syscalls.allow("fcntl", args={1: command})
    syscalls.allow("newfstatat", args=[ArgCmp(3, CmpOp.MASKED_EQ, _AT_EMPTY_PATH, _AT_EMPTY_PATH)])
    syscalls.allow("prlimit64", args={0: 0, 1: resource.RLIMIT_CPU})
    syscalls.allow("tgkill", args={0: os.getpid()})  # abort() of the C library, a crash that names itself
    syscalls.allow("clone", args=[ArgCmp(0, CmpOp.MASKED_EQ, _CLONE_THREAD, _CLONE_THREAD)])
    syscalls.errno("clone3", errno.ENOSYS)  # its flags lie in memory; "clone" is tried next
    syscalls.load()
