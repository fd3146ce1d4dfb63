"""A client that asks one URL again and again over connections that stay open, and costs little itself."""

import asyncio
import math
import time
from dataclasses import dataclass, field


@dataclass
class Load:
    """What was seen."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.latencies) / self.seconds

    @property
    def p99(self) -> float:
        """The latency in seconds that one request in a hundred exceeds."""
        return sorted(self.latencies)[math.ceil(len(self.latencies) * 0.99) - 1]


async def ask(port: int, path: str, *, seconds: float, connections: int) -> Load:
    """Ask for *path* on loopback; raises RuntimeError at the first answer that is not 200."""
    load = Load()
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    until = time.monotonic() + seconds
    began = time.monotonic()
    await asyncio.gather(*(_ask_until(port, request, until, load) for _ in range(connections)))
    load.seconds = time.monotonic() - began
    return load


async def _ask_until(port: int, request: bytes, until: float, load: Load) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (began := time.monotonic()) < until:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode(errors="replace"))
        lower = head.lower()
        start = lower.index(b"content-length:") + len(b"content-length:")
        await reader.readexactly(int(lower[start : lower.index(b"\r\n", start)]))
        load.latencies.append(time.monotonic() - began)
    writer.close()
    await writer.wait_closed()
