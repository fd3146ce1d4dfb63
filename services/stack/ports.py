"""Ports on loopback for servers that nobody else needs to know."""

import contextlib
import secrets
import socket
from collections.abc import Collection
from contextlib import ExitStack
from pathlib import Path

from imageconverter.settings import SettingsError

LOOPBACK = "127.0.0.1"
_PORTS = range(20_000, 32_768)


def free_ports(count: int, *, avoid: Collection[int] = ()) -> list[int]:
    """Return *count* ports of loopback that are free now, all different, and none of *avoid*.

    They lie below those that the system gives to outgoing connections, one of which could take a port
    between now and its server's start.
    """
    found: list[int] = []
    with ExitStack() as stack:
        while len(found) < count:
            port = secrets.choice(_PORTS)
            if port in avoid:
                continue
            probe = stack.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                probe.bind((LOOPBACK, port))
                if not any(Path("/tmp").glob(f"seaweedfs-*-{port}.sock")):  # noqa: S108 - where SeaweedFS has them
                    found.append(port)  # and where one that was killed leaves them, in the way of the next
    return found


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
