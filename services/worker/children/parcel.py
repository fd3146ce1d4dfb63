"""What worker and child hand each other: a small JSON header and the bytes in a memory file.

One parcel is one message on a SOCK_SEQPACKET pair. Picture data never passes through the socket: it lies in
an anonymous memory file whose descriptor goes along, so a large source is neither pickled nor copied.
"""

import json
import os
import socket
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Buffer

_HEADER_BYTES = 160 * 1024  # below the kernel's default for one message


class Parcel(NamedTuple):
    """A header, and the descriptor of a memory file that the receiver closes."""

    header: dict[str, Any]
    file: int


def pack(parts: "Sequence[Buffer]", name: str) -> int:
    """Return the descriptor of a new memory file that holds *parts* one behind the other."""
    file = os.memfd_create(name, os.MFD_CLOEXEC)
    try:
        for part in parts:
            view = memoryview(part).cast("B")
            while view:
                view = view[os.write(file, view) :]
    except BaseException:
        os.close(file)
        raise
    return file


def send(channel: socket.socket, header: dict[str, Any], file: int) -> None:
    """Send one parcel; raises OSError where the other side is gone or the header is too long."""
    socket.send_fds(channel, [json.dumps(header).encode()], [file])


def receive(channel: socket.socket) -> Parcel:
    """Receive one parcel; raises EOFError where the other side is gone."""
    message, files, _, _ = socket.recv_fds(channel, _HEADER_BYTES, 1)
    if not message or not files:
        raise EOFError
    return Parcel(json.loads(message), files[0])
