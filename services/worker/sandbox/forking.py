"""The loop of the fork server: it forks a sandbox process whenever the worker asks for one.

The worker asks with ``fork`` and sends two descriptors along: the channel of the new process, and its stderr. The
server answers ``started PID`` or ``failed ERRNO``. Later it reports ``ended PID STATUS``; it keeps the process id
from being used again until the worker confirms that with ``reap PID``.
"""

import os
import select
import signal
import socket
import sys
from collections.abc import Callable

FORK = b"fork"
MESSAGE_BYTES = 64
_DESCRIPTORS = 2
_MAX_DESCRIPTOR = 1 << 16
_STDERR = 2


def serve_forks(control: socket.socket, child: Callable[[socket.socket], None]) -> None:
    """Fork processes that call *child* with their channels until the worker closes *control*.

    Nothing of this process changes meanwhile, so all of them are equal. They have no descriptor of it except the
    standard ones.
    """
    running: set[int] = set()
    woken, wake = os.pipe()
    for end in (woken, wake):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    waiting = select.poll()
    for descriptor in (control.fileno(), woken):
        waiting.register(descriptor, select.POLLIN)
    while True:
        ready = {descriptor for descriptor, _ in waiting.poll()}
        if woken in ready:
            os.read(woken, 1024)
            _report_ended(control, running)
        if control.fileno() not in ready:
            continue
        message, descriptors, _, _ = socket.recv_fds(control, MESSAGE_BYTES, _DESCRIPTORS)
        if not message:
            return
        if message == FORK:
            _fork(control, running, descriptors, child)
        else:
            pid = int(message.split()[1])
            os.waitpid(pid, 0)
            running.discard(pid)


def _fork(
    control: socket.socket, running: set[int], descriptors: list[int], child: Callable[[socket.socket], None]
) -> None:
    channel, stderr = descriptors
    try:
        pid = os.fork()
    except OSError as error:
        control.sendall(f"failed {error.errno}".encode())
    else:
        if pid == 0:
            _run(control.detach(), channel, stderr, child)
        running.add(pid)
        control.sendall(f"started {pid}".encode())
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _run(control: int, channel: int, stderr: int, child: Callable[[socket.socket], None]) -> None:
    """Call *child* in the new process, with the channel in place of *control*; does not return."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(stderr, _STDERR)
        os.dup2(channel, control)
        os.closerange(_STDERR + 1, control)
        os.closerange(control + 1, _MAX_DESCRIPTOR)
        with socket.socket(fileno=control) as connected:
            child(connected)
        status = 0
    except BaseException:  # noqa: BLE001 - the loop of the server must not go on in this process
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(status)


def _report_ended(control: socket.socket, running: set[int]) -> None:
    for pid in list(running):
        ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is not None:
            running.discard(pid)
            code = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
            control.sendall(f"ended {pid} {code}".encode())
