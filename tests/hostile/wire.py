"""Requests as raw bytes, which no regular client would send, and the responses."""

import asyncio
import json
from contextlib import suppress
from typing import Any, NamedTuple

from tests.conftest import API_KEY

SECONDS = 15
"""Timeout for a response or the end of the connection, in seconds."""


class Response(NamedTuple):
    """A response; without one the status is 0."""

    status: int
    headers: dict[str, str]
    """With names in small letters."""
    body: bytes

    @property
    def json(self) -> Any:
        """The body, which must be JSON."""
        return json.loads(self.body)


class Wire(NamedTuple):
    """The address of a gateway."""

    host: str
    port: int

    async def is_open(self) -> bool:
        """Whether the port is open."""
        with suppress(ConnectionRefusedError):
            return (await self.get("/health/live")).status != 0
        return False

    async def get(self, target: str, **headers: str) -> Response:
        """Send a GET request for *target*, without encoding it."""
        return await self.send("GET", target, b"", **headers)

    async def send(self, method: str, target: str, body: bytes = b"", **headers: str) -> Response:
        """Send a request with all permissions; underscores in names of *headers* become hyphens."""
        given = {"Host": "x", "Connection": "close", "Authorization": f"Bearer {API_KEY}"}
        if body:
            given["Content-Length"] = str(len(body))
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
        return (await self.exchange("\r\n".join(lines).encode() + b"\r\n\r\n" + body))[0]

    async def exchange(self, data: bytes, *, count: int = 0) -> list[Response]:
        """Send *data*; returns the responses until the server closes the connection, or the first *count*.

        Without a response, returns one with status 0. Raises TimeoutError if the connection stays open.
        """
        reader, writer = await asyncio.open_connection(self.host, self.port)
        received = bytearray()

        async def read() -> None:
            while piece := await reader.read(65_536):
                received.extend(piece)
                if count and len(parse_responses(bytes(received))) >= count:
                    return

        async with asyncio.timeout(SECONDS):
            reading = asyncio.create_task(read())
            with suppress(ConnectionError):  # the server closed early; only its response matters
                writer.write(data)
                await writer.drain()
            await asyncio.gather(reading, return_exceptions=True)
        writer.transport.abort()
        return parse_responses(bytes(received)) or [Response(0, {}, b"")]


def parse_responses(received: bytes) -> list[Response]:
    """Parse the complete responses in *received*."""
    found = []
    while b"\r\n\r\n" in received:
        head, _, received = received.partition(b"\r\n\r\n")
        line, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
        length = int(headers.get("content-length", 0))
        if headers.get("transfer-encoding") == "chunked":
            body, _, received = received.partition(b"0\r\n\r\n")
        else:
            body, received = received[:length], received[length:]
        if len(body) >= length:
            found.append(Response(int(line.split(" ")[1]), headers, body))
    return found
