"""IPC frames between a worker and a sandbox process: a message and the memory files that belong to it.

A frame is one packet on a SOCK_SEQPACKET pair. Image data never passes through the socket: source, watermarks and
outputs are in anonymous memory files of the worker, whose descriptors are sent along, so a large source is neither
pickled nor copied, and a sandbox process needs no permission to create a file. A process may keep its descriptors;
they are sealed, and emptied afterwards, so that it can neither read another image by them nor hold memory. Outputs
may change until they are copied, once: to rule that out, the kernel would wait for the processor on which they were
written, for milliseconds.
"""

import fcntl
import os
import socket
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Buffer

READY = b"ready"
"""The first message of a sandbox process; the descriptor of its filter's listener is sent along, if there is one."""
MESSAGE_BYTES = 160 * 1024  # below the kernel's default for one packet
_NO_GROWTH = fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL  # but the worker may still shrink it
_READ_ONLY = fcntl.F_SEAL_WRITE | _NO_GROWTH


class Frame(NamedTuple):
    """A message, and the descriptors of memory files that the receiver closes."""

    message: bytes
    source: int
    outputs: int
    watermarks: int | None


def memory_file(name: str, data: "Buffer" = b"") -> int:
    """Return the descriptor of a new memory file that holds *data*."""
    file = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        write(file, [data])
    except BaseException:
        os.close(file)
        raise
    return file


def write(file: int, parts: "Sequence[Buffer]") -> None:
    """Append *parts* to the memory file."""
    for part in parts:
        view = memoryview(part).cast("B")
        while view:
            view = view[os.write(file, view) :]


def seal(file: int) -> None:
    """Let no process write to the memory file any more; raises OSError if one has mapped it for writing."""
    fcntl.fcntl(file, fcntl.F_ADD_SEALS, _READ_ONLY)


def seal_size(file: int) -> None:
    """Let no process make the memory file larger, also after it was emptied; raises OSError if one has sealed it."""
    fcntl.fcntl(file, fcntl.F_ADD_SEALS, _NO_GROWTH)


def discard(file: int) -> None:
    """Free the memory of the file, also if other processes have it open, and close it."""
    os.ftruncate(file, 0)
    os.close(file)


def send(channel: socket.socket, message: bytes, source: int, outputs: int, watermarks: int | None = None) -> None:
    """Send one frame; raises OSError if the other side is closed or the message is too long."""
    socket.send_fds(channel, [message], [source, outputs] if watermarks is None else [source, outputs, watermarks])


def send_ready(channel: socket.socket, listener: int | None) -> None:
    """Send `READY` and hand over the *listener*, which is closed here."""
    if listener is None:
        channel.sendmsg([READY])
        return
    socket.send_fds(channel, [READY], [listener])
    os.close(listener)


def receive_ready(channel: socket.socket) -> tuple[bytes, int | None]:
    """Receive the first message and the listener; raises OSError if the other side is closed."""
    message, listeners, _, _ = socket.recv_fds(channel, len(READY), 1, socket.MSG_CMSG_CLOEXEC)
    return message, listeners[0] if listeners else None


def receive(channel: socket.socket) -> Frame:
    """Receive one frame; raises EOFError if the other side is closed."""
    message, files, _, _ = socket.recv_fds(channel, MESSAGE_BYTES, 3)
    if not message:
        raise EOFError
    source, outputs, *watermarks = files
    return Frame(message, source, outputs, watermarks[0] if watermarks else None)
