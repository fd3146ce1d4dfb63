"""The asynchronous client of both APIs."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import aiohttp

from services.client import downloads
from services.client.content import Content, Progress, repr_digest
from services.client.dead_letters import DeadLetters
from services.client.previews import Previews
from services.client.reports import Catalogs, Reports
from services.client.responses import ConfiguredFormats, Ready, Result, ResultList, Staged
from services.client.runs import Runs
from services.client.sources import Sources
from services.client.transport import Request, Transport, idempotency_key, in_url
from services.client.webhooks import Webhooks

_CONNECTIONS = 16


class AsyncClient:
    """A client of the images API and the ImageConverter API; use it as an async context manager.

    Its methods raise ApiError: ServerUnavailableError, after retries if the request may be repeated, and
    RequestRejectedError. Responses are the JSON objects of the API, typed in `services.client.responses`.
    """

    def __init__(self, server: str, key: str = "", *, user: str = "admin", password: str = "") -> None:
        """Connect to *server*, as `http(s)://host:port`, with an API *key*.

        *user* and *password* are needed to list and remove previews only.
        """
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=_CONNECTIONS))
        self._transport = Transport(self._session, server.rstrip("/"), key)
        self.sources = Sources(self._transport)
        self.runs = Runs(self._transport)
        self.dead_letters = DeadLetters(self._transport)
        self.catalogs = Catalogs(self._transport)
        self.reports = Reports(self._transport)
        self.webhooks = Webhooks(self._transport)
        self.previews = Previews(self._transport, user, password)

    @property
    def server(self) -> str:
        """The URL of the server."""
        return self._transport.server

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def upload(
        self,
        name: str,
        content: Content,
        *,
        directory: str = "",
        sha256: str = "",
        on_progress: Progress | None = None,
    ) -> str:
        """Stage an image under *name* in the *directory* of an earlier upload, "" for a new one; returns its path.

        A run converts it. Staged images are deleted after a day by default.
        """
        query = {"fileName": name} | ({"directory": directory} if directory else {})
        request = Request(
            "POST",
            "/images/upload",
            query,
            headers={**(repr_digest(sha256) if sha256 else {}), **idempotency_key()},
            content=content,
            on_progress=on_progress,
        )
        return cast("Staged", await self._transport.json(request))["path"]

    async def convert(
        self, name: str, content: Content, formats: Sequence[str], *, on_progress: Progress | None = None
    ) -> list[Result]:
        """Convert an image to *formats*, by their ids, and wait for it; returns a result for each format."""
        request = Request(
            "POST",
            "/images/upload/convert",
            {"fileName": name, "formats": ",".join(formats)},
            headers=idempotency_key(),
            content=content,
            on_progress=on_progress,
        )
        return cast("ResultList", await self._transport.json(request))["items"]

    async def formats(self) -> ConfiguredFormats:
        """Return the image formats that are in effect."""
        return cast("ConfiguredFormats", await self._transport.json(Request("GET", "/images/formats")))

    async def content(self, path: str) -> bytes:
        """Return the converted image at *path*, the `output` of a result."""
        return await downloads.read(self._transport, Request("GET", f"/content/{in_url(path)}"))

    async def download(self, path: str, file: Path, *, etag: str = "", on_progress: Progress | None = None) -> str:
        """Write the converted image at *path* to *file*, unless its ETag is *etag*; returns the ETag.

        Raises OSError.
        """
        request = Request("GET", f"/content/{in_url(path)}")
        return await downloads.save(self._transport, request, file, etag=etag, on_progress=on_progress)

    def content_url(self, path: str) -> str:
        """Return the URL of the converted image at *path*."""
        return f"{self._transport.server}/content/{in_url(path)}"

    async def ready(self) -> Ready:
        """Return the health of the server. Raises ServerUnavailableError if it is not ready."""
        return cast("Ready", await self._transport.json(Request("GET", "/health/ready", repeat="never")))
