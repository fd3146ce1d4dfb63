"""A load generator: requests one URL repeatedly over persistent connections, with little CPU of its own."""

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass
class Load:
    """The result of a measurement."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Requests per second."""
        return len(self.latencies) / self.seconds

    @property
    def p99(self) -> float:
        """The 99th percentile of the latencies, in seconds."""
        return p99(self.latencies)


def p99(latencies: Sequence[float]) -> float:
    """Return the 99th percentile of *latencies*."""
    return sorted(latencies)[math.ceil(len(latencies) * 0.99) - 1]


async def generate_load(port: int, path: str, *, seconds: float, connections: int) -> Load:
    """Request *path* on loopback; raises RuntimeError if a status is not 200."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    return await generate_requests(port, lambda: request, seconds=seconds, connections=connections)


async def generate_requests(port: int, request: Callable[[], bytes], *, seconds: float, connections: int) -> Load:
    """Send what *request* returns, each time anew; raises RuntimeError if a status is not 200."""
    load = Load()
    until = time.monotonic() + seconds
    began = time.monotonic()
    await asyncio.gather(*(_request_until(port, request, until, load) for _ in range(connections)))
    load.seconds = time.monotonic() - began
    return load


async def _request_until(port: int, request: Callable[[], bytes], until: float, load: Load) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (began := time.monotonic()) < until:
        writer.write(request())
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode(errors="replace"))
        lower = head.lower()
        start = lower.index(b"content-length:") + len(b"content-length:")
        await reader.readexactly(int(lower[start : lower.index(b"\r\n", start)]))
        load.latencies.append(time.monotonic() - began)
    writer.close()
    await writer.wait_closed()
