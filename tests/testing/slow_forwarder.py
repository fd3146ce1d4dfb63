"""A program that delays TCP connections: ``python -m tests.testing.slow_forwarder FROM TO SECONDS PORT…``.

It listens on the ports of the address FROM and connects to the same ports of TO. Every byte takes SECONDS in each
direction; the bandwidth is not limited.
"""

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from functools import partial

_CHUNK_BYTES = 65536
_MAX_CHUNKS = 1000  # that wait


async def main(own: str, servers: str, seconds: float, ports: Sequence[int]) -> None:
    """Forward until killed."""
    for port in ports:
        await asyncio.start_server(partial(_serve, servers, port, seconds), own, port)
    await asyncio.Event().wait()


async def _serve(
    servers: str, port: int, seconds: float, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    try:
        answers, sink = await asyncio.open_connection(servers, port)
    except OSError:
        writer.transport.abort()
        return
    await asyncio.gather(_pass_on(reader, sink, seconds), _pass_on(answers, writer, seconds))


async def _pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter, seconds: float) -> None:
    """Write to *sink* what is read from *source*, each chunk *seconds* after it was read, the end included."""
    chunks: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_MAX_CHUNKS)
    writing = asyncio.create_task(_write(chunks, sink))
    data = b"-"
    while data:
        try:
            data = await source.read(_CHUNK_BYTES)
        except OSError:
            data = b""
        await chunks.put((asyncio.get_running_loop().time() + seconds, data))
    await writing


async def _write(chunks: asyncio.Queue[tuple[float, bytes]], sink: asyncio.StreamWriter) -> None:
    while True:
        due, data = await chunks.get()
        await asyncio.sleep(due - asyncio.get_running_loop().time())
        if not data:
            sink.close()
            return
        with contextlib.suppress(OSError):  # the chunks that follow have nowhere to go, either
            sink.write(data)
            await sink.drain()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3]), [int(port) for port in sys.argv[4:]]))
