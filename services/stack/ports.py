"""Free ports on loopback for the embedded servers."""

import contextlib
import secrets
import socket
from collections.abc import Collection
from contextlib import ExitStack
from pathlib import Path

from imageconverter.settings import SettingsError

LOOPBACK = "127.0.0.1"
_PORTS = range(20_000, 32_768)
_FIRST_UNPRIVILEGED = 1024


def free_ports(count: int, *, avoid: Collection[int] = ()) -> list[int]:
    """Return *count* different ports of loopback that are free now, except those in *avoid*.

    They are below the range of outgoing connections, which could take a port before its server starts.
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
                if not any(Path("/tmp").glob(f"seaweedfs-*-{port}.sock")):  # noqa: S108 - where SeaweedFS creates them
                    found.append(port)  # a killed SeaweedFS leaves its sockets, and the next one could not bind
    return found


def kept_port(file: Path, *, avoid: Collection[int] = ()) -> int:
    """Return the port in *file* if it is free now, else another free one; it is written to *file*.

    Programs that the user has set up for a server find it again after a restart.
    """
    try:
        port = int(file.read_text())
    except (OSError, ValueError):
        port = 0
    if port < _FIRST_UNPRIVILEGED or port in avoid or not _is_free(port):
        (port,) = free_ports(1, avoid=avoid)
        file.write_text(f"{port}\n")
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # it may have been in use a moment ago
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def require_free(host: str, port: int) -> None:
    """Raise SettingsError if the gateway cannot listen on *host* and *port*."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise SettingsError(
            f"IMAGECONVERTER_PORT: cannot listen on {host}:{port}: {error.strerror or error}"
        ) from None
