"""A sandbox process that does what the image says instead of converting it, for tests of the sandbox.

``python misdeeds.py USER LISTENER …``: as that user (a number) if it is started as root and USER is not 0; with a
filter whose refused calls the kernel reports if LISTENER is "listener".
"""

import contextlib
import ctypes
import fcntl
import io
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from seccompy import syscall_nr

from imageconverter.engine import Converted, Failed
from imageconverter.errors import Undecodable
from services.worker.sandbox import program, seccomp
from services.worker.sandbox.confinement import OUTPUT_BYTES
from services.worker.sandbox.preload import preload

LIBC = ctypes.CDLL(None, use_errno=True)
PARENT = os.getppid()
HERE = Path(__file__)
LIBRARY = Path(os.__file__)


def call(name: str, *arguments: int) -> None:
    """Make the system call *name*; raises OSError."""
    if LIBC.syscall(syscall_nr(name), *arguments) == -1:
        raise OSError(ctypes.get_errno(), name)


def spin() -> None:
    """Use CPU time."""
    while True:
        pass


def chatter() -> None:
    """Write more to stderr than any pipe holds."""
    for _ in range(10_000):
        try:
            os.write(2, b"\x1b[2J libjpeg: " + b"noise " * 100 + b"\n")
        except BlockingIOError:
            return


def descend() -> None:
    """Run a thread, as encoders do."""
    thread = threading.Thread(target=time.sleep, args=(0,))
    thread.start()
    thread.join()


HIGH = (ctypes.c_uint64 * 2)(1 << 40, 1 << 40)
KEPT: list[int] = []
KEPT_IMAGES: list[bytes] = []


def keep_files() -> None:
    """Keep all descriptors, of the source and the outputs too."""
    for descriptor in range(3, 16):
        with contextlib.suppress(OSError):
            KEPT.append(fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 16))


def keep_image(source: IO[bytes]) -> None:
    """Keep the image for the next one."""
    KEPT_IMAGES.append(source.getvalue() if isinstance(source, io.BytesIO) else b"")


def burn() -> None:
    """Use CPU time in another thread, and go on with that."""
    threading.Thread(target=spin, daemon=True).start()


def start_threads() -> None:
    """Start three hundred threads, and wait."""
    threading.stack_size(64 * 1024)
    for _ in range(300):
        threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
    time.sleep(3600)


def use_kept_files() -> None:
    """Read and write by the descriptors that were kept. Raises Undecodable: with what that achieved."""
    done = []
    for descriptor in KEPT:
        with contextlib.suppress(OSError):
            if os.pread(descriptor, 100, 0):
                done.append("read")
        with contextlib.suppress(OSError):
            os.lseek(descriptor, 0, os.SEEK_SET)  # fails for a socket
            os.write(descriptor, b"written")
            done.append("wrote")
    raise Undecodable(" ".join([f"{len(KEPT)} kept", *done]))


REFUSED: dict[str, Callable[[], object]] = {
    "open a file": lambda: Path("/etc/passwd").read_bytes(),
    "open a module": LIBRARY.read_bytes,
    "write a file": lambda: HERE.with_suffix(".written").write_text("x"),
    "write beside": lambda: Path("/tmp/imageconverter-misdeed").write_text("x"),  # noqa: S108 - is to fail
    "look for a file": LIBRARY.stat,
    "list a folder": lambda: list(Path("/").iterdir()),
    "remove a file": HERE.unlink,
    "make a folder": lambda: Path("/tmp/imageconverter-folder").mkdir(),  # noqa: S108 - is to fail
    "make a memory file": lambda: os.memfd_create("x"),
    "make a pipe": os.pipe,
    "open a TCP socket": lambda: socket.socket(socket.AF_INET),
    "open a UDP socket": lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM),
    "open a local socket": lambda: socket.socket(socket.AF_UNIX),
    "make a pair of sockets": socket.socketpair,
    "fork": os.fork,
    "start a program": lambda: subprocess.run([sys.executable, "--version"], check=False),
    "spawn a program": lambda: os.posix_spawn(sys.executable, [sys.executable, "--version"], {}),
    "become a program": lambda: os.execv(sys.executable, [sys.executable, "--version"]),  # noqa: S606 - is to fail
    "signal its parent": lambda: os.kill(PARENT, 0),
    "signal by a descriptor": lambda: fcntl.fcntl(0, fcntl.F_SETOWN, PARENT),
    "signal a thread of its parent": lambda: call("tgkill", PARENT, PARENT, 0),
    "queue a signal": lambda: call("rt_sigqueueinfo", PARENT, 0, 0),
    "find its parent": lambda: call("pidfd_open", PARENT, 0),
    "trace its parent": lambda: call("ptrace", 0x4206, PARENT, 0, 0),  # PTRACE_SEIZE
    "read its parent's memory": lambda: call("process_vm_readv", PARENT, 0, 0, 0, 0, 0),
    "read its parent's limits": lambda: resource.prlimit(PARENT, resource.RLIMIT_CPU),
    "lift its limit of CPU time": lambda: call("prlimit64", 0, resource.RLIMIT_CPU, ctypes.addressof(HIGH), 0),
    "read its own limit of CPU time": lambda: call("prlimit64", 0, resource.RLIMIT_CPU, 0, 0),
    "read its own limit of memory": lambda: call("prlimit64", 0, resource.RLIMIT_AS, 0, 0),
    "leave its namespace": lambda: call("unshare", 0x10000000),  # CLONE_NEWUSER
    "make a thread outside of its process": lambda: call("clone", signal.SIGCHLD, 0, 0, 0, 0),
    "become root": lambda: call("setuid", 0),
    "mount": lambda: call("mount", 0, 0, 0, 0, 0),
    "ask the kernel for a ring": lambda: call("io_uring_setup", 1, 0),
    "load a program into the kernel": lambda: call("bpf", 0, 0, 0),
    "control a device": lambda: call("ioctl", 0, 0, 0),
    "loosen its filter": lambda: call("seccomp", 0, 0, 0),
    "become traceable": lambda: call("prctl", 4, 1, 0, 0, 0),  # PR_SET_DUMPABLE
}
ALLOWED: dict[str, Callable[[], object]] = {
    "run a thread": descend,
    "sleep": lambda: time.sleep(0.001),
    "draw lots": lambda: os.urandom(8),
    "chatter": chatter,
}
FATAL: dict[str, Callable[[], object]] = {
    "crash": lambda: ctypes.string_at(0),
    "abort": os.abort,
    "exit": lambda: os._exit(0),
    "end by a signal without a name": lambda: call("tgkill", os.getpid(), threading.get_native_id(), 40),
    "send an invalid response": lambda: os.write(int(sys.argv[1]), b'{"outcome": [{"bytes": 5}]}'),
    "respond for another image": lambda: os.write(int(sys.argv[1]), b'{"outcome": []}'),
    "claim to be fast": lambda: os.write(
        int(sys.argv[1]),
        b'{"outcome": [{"bytes": 0, "output": "png", "size": [1, 1], "seconds": NaN, "warning": ""}]}',
    ),
}
AFTERWARDS: dict[str, Converted | Failed] = {
    "then convert ": Converted(b"made", "png", (1, 1), 0.0, ""),
    "then fail ": Failed("The output could not be made: error -3"),
}
KEEPING: dict[str, Callable[[], object]] = {
    "keep files": keep_files,
    "use kept files": use_kept_files,
    "keep the image": lambda: None,
}
OVERUSING: dict[str, Callable[[], object]] = {"burn": burn, "start threads": start_threads}
ENDLESS: dict[str, Callable[[], object]] = {"spin": spin, "hang": lambda: time.sleep(3600)}


def flood() -> None:
    """Make refused system calls for ever."""
    while True:
        with contextlib.suppress(OSError):
            os.getcwd()  # noqa: PTH109 - the system call itself


def convert(source: IO[bytes], *_: Any) -> list[Converted | Failed]:
    """Do what *source* says. Raises Undecodable: with the errno of what was refused, else "done".

    An image "uncaught MISDEED" lets the error pass, "then convert MISDEED" and "then fail MISDEED" ignore it.
    """
    misdeed = source.read().decode()
    for prefix, result in AFTERWARDS.items():
        if misdeed.startswith(prefix):
            with contextlib.suppress(OSError):
                REFUSED[misdeed.removeprefix(prefix)]()
            return [result]
    if misdeed.startswith("uncaught "):
        REFUSED[misdeed.removeprefix("uncaught ")]()
    if misdeed == "allocate":
        return [Converted(bytes(4 << 30), "png", (1, 1), 0.0, "")]
    if misdeed == "make too much":
        return [Converted(bytes(OUTPUT_BYTES + 1), "png", (1, 1), 0.0, "")]
    if misdeed == "keep the image":
        keep_image(source)
    if misdeed == "hand out kept images":
        raise Undecodable(f"{len(KEPT_IMAGES)} kept")
    if misdeed == "complain at length":
        raise Undecodable("\udc80\n" * 100_000)
    try:
        (REFUSED | ALLOWED | FATAL | OVERUSING | KEEPING | ENDLESS | {"flood": flood})[misdeed]()
    except OSError as error:
        raise Undecodable(f"errno {error.errno}") from error
    raise Undecodable("done")


def main() -> None:
    """Become the user, then a sandbox process."""
    user = int(sys.argv.pop(1))
    if sys.argv.pop(1) != "listener":
        vars(seccomp)["_LISTENER_FLAGS"] = 1 << 31  # which no kernel knows
    preload()
    if user and not os.geteuid():
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
    vars(program)["convert"] = convert  # what a decoder that was taken over amounts to
    program.main()


if __name__ == "__main__":
    main()
