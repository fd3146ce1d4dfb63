"""Images that are received: as bytes, as a stream, or into a file."""

import secrets
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

import aiohttp

from services.client.content import CHUNK_BYTES, Progress
from services.client.transport import Request, Transport


async def read(transport: Transport, request: Request) -> bytes:
    """Return the bytes of an image."""

    async def body(response: aiohttp.ClientResponse) -> bytes:
        return await response.read()

    return await transport.send(request, body)


async def stream(transport: Transport, request: Request) -> AsyncGenerator[bytes, None]:
    """Yield the bytes of an image while they arrive; sent once."""
    async with transport.opened(request) as response:
        async for chunk in response.content.iter_chunked(CHUNK_BYTES):
            yield chunk


async def save(
    transport: Transport, request: Request, file: Path, *, etag: str = "", on_progress: Progress | None = None
) -> str:
    """Write an image to *file*, unless the server's is that of *etag*; returns the ETag. Raises OSError.

    The file is complete or is what it was before. Directories above it are created.
    """
    if etag:
        request = replace(request, headers={**request.headers, "If-None-Match": etag})

    async def received(response: aiohttp.ClientResponse) -> str:
        if response.status != HTTPStatus.NOT_MODIFIED:
            await _write(response, file, on_progress)
        return response.headers.get("ETag", "")

    return await transport.send(request, received)


async def _write(response: aiohttp.ClientResponse, file: Path, on_progress: Progress | None) -> None:
    received = 0
    with replacing(file) as out:
        async for chunk in response.content.iter_chunked(CHUNK_BYTES):
            out.write(chunk)
            received += len(chunk)
            if on_progress is not None:
                on_progress(received, response.content_length)


@contextmanager
def replacing(file: Path) -> Iterator[BinaryIO]:
    """Context in which the new content of *file* is written; an error leaves what was there. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with temporary.open("xb") as out:
            yield out
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)
