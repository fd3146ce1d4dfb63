"""What a worker hands a child: a message and the memory files that go with it.

One packet on a SOCK_SEQPACKET pair. Image data never passes through the socket: source and outputs lie in
anonymous memory files of the worker's, whose descriptors go along, so a large source is neither pickled nor
copied, and a child needs no right to make a file.
"""

import os
import socket
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Buffer

READY = b"ready"
"""What a child sends first."""
MESSAGE_BYTES = 160 * 1024  # below the kernel's default for one packet


class Frame(NamedTuple):
    """A message, and the descriptors of two memory files that the receiver closes."""

    message: bytes
    source: int
    outputs: int


def memory_file(name: str, data: "Buffer" = b"") -> int:
    """Return the descriptor of a new memory file that holds *data*."""
    file = os.memfd_create(name, os.MFD_CLOEXEC)
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


def send(channel: socket.socket, message: bytes, source: int, outputs: int) -> None:
    """Send one parcel; raises OSError where the other side is gone or the message is too long."""
    socket.send_fds(channel, [message], [source, outputs])


def receive(channel: socket.socket) -> Frame:
    """Receive one parcel; raises EOFError where the other side is gone."""
    message, files, _, _ = socket.recv_fds(channel, MESSAGE_BYTES, 2)
    if not message:
        raise EOFError
    source, outputs = files
    return Frame(message, source, outputs)
