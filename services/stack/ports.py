"""Ports on loopback for servers that nobody else needs to know."""

import socket
from contextlib import ExitStack

from imageconverter.settings import SettingsError

LOOPBACK = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    """Return *count* ports of loopback that are free now, all different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return [each.getsockname()[1] for each in sockets]


def require_free(host: str, port: int) -> None:
    """Raise SettingsError where the gateway could not listen on *host* and *port*."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise SettingsError(
            f"IMAGECONVERTER_PORT: cannot listen on {host}:{port}: {error.strerror or error}"
        ) from None
