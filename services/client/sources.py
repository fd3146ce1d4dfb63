"""The sources: the images that runs convert, by their paths."""

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any, cast

import aiohttp

from services.client import downloads
from services.client.content import Content, Progress, repr_digest, sha256_of
from services.client.responses import (
    Deleted,
    DeletedSource,
    FactsPage,
    FactsRow,
    FocalPoint,
    Source,
    SourceRestore,
    SourcesPage,
    SourceTrashPage,
    StoredSource,
)
from services.client.transport import Request, Transport, in_url

_BASE = "/images/sources"
_TRASH = "/images/trash/sources"
_FACTS = 500  # paths in a request
_FOCAL_POINTS = "/images/focal-points"


class Sources:
    """Operations on sources; each raises ApiError."""

    def __init__(self, transport: Transport) -> None:
        """Send requests by *transport*."""
        self._transport = transport

    async def list(self, directory: str = "", *, recursive: bool = False) -> AsyncGenerator[Source, None]:
        """Yield the sources in *directory*, "" for the root; with *recursive* also those below it."""
        async for page in self.pages(directory, recursive=recursive):
            for source in page["items"]:
                yield source

    async def pages(self, directory: str = "", *, recursive: bool = False) -> AsyncGenerator[SourcesPage, None]:
        """Yield the pages of a listing, of up to 1,000 sources and directories each."""
        query = {"directory": directory} if directory else {}
        query |= {"recursive": "true"} if recursive else {}
        while True:
            page = cast("SourcesPage", await self._transport.json(Request("GET", _BASE, query)))
            yield page
            if "cursor" not in page:
                return
            query["cursor"] = page["cursor"] or ""

    async def facts(self, paths: Sequence[str]) -> AsyncGenerator[FactsRow, None]:
        """Yield what is known of the sources at *paths*, in their order; ask again for what is `pending`."""
        for start in range(0, len(paths), _FACTS):
            async for row in self._facts({"paths": list(paths[start : start + _FACTS])}):
                yield row

    async def facts_below(self, directory: str = "", *, recursive: bool = True) -> AsyncGenerator[FactsRow, None]:
        """Yield what is known of the sources in *directory*, "" for the root; if *recursive*, also below it."""
        async for row in self._facts({"directory": directory, "recursive": recursive}):
            yield row

    async def _facts(self, body: dict[str, Any]) -> AsyncGenerator[FactsRow, None]:
        while True:
            page = cast("FactsPage", await self._transport.json(Request("POST", f"{_BASE}/facts", json=body)))
            for row in page["items"]:
                yield row
            if "cursor" not in page:
                return
            body = {**body, "cursor": page["cursor"]}

    async def put(
        self, path: str, content: Content, *, sha256: str = "", on_progress: Progress | None = None
    ) -> StoredSource:
        """Store an image at *path*, in place of what is there. The server compares *sha256*, and stores it."""
        headers = repr_digest(sha256) if sha256 else {}
        request = Request("PUT", _path(path), headers=headers, content=content, on_progress=on_progress)
        return cast("StoredSource", await self._transport.json(request))

    async def get(self, path: str) -> bytes:
        """Return the image at *path*."""
        return await downloads.read(self._transport, Request("GET", _path(path)))

    async def stream(self, path: str) -> AsyncGenerator[bytes, None]:
        """Yield the image at *path* while it arrives."""
        async for chunk in downloads.stream(self._transport, Request("GET", _path(path))):
            yield chunk

    async def download(self, path: str, file: Path, *, on_progress: Progress | None = None) -> str:
        """Write the image at *path* to *file*; returns its ETag. Raises OSError."""
        return await downloads.save(self._transport, Request("GET", _path(path)), file, on_progress=on_progress)

    async def sha256(self, path: str) -> str:
        """Return the SHA-256 of the image at *path* in hexadecimal digits, "" if it is not stored."""

        async def digest(response: aiohttp.ClientResponse) -> str:
            return sha256_of(response.headers.get("Repr-Digest", ""))

        return await self._transport.send(Request("HEAD", _path(path)), digest)

    async def delete(self, path: str, *, permanently: bool = False) -> str:
        """Delete the source at *path*; returns its item in the trash, "" if it was deleted *permanently*.

        Its converted images stay. Not repeated: it would not be found again.
        """
        query = {"permanently": "true"} if permanently else {}
        request = Request("DELETE", _path(path), query, repeat="refused")
        return cast("Deleted", await self._transport.json(request)).get("trash", "")

    async def focal_point(self, path: str) -> FocalPoint:
        """Return the focal point of the source at *path*, in shares of width and height."""
        return cast("FocalPoint", await self._transport.json(Request("GET", f"{_FOCAL_POINTS}/{in_url(path)}")))

    async def set_focal_point(self, path: str, x: float, y: float) -> FocalPoint:
        """Set the point of the source at *path* that crops keep, in shares of width and height as it is seen."""
        request = Request("PUT", f"{_FOCAL_POINTS}/{in_url(path)}", json={"x": x, "y": y})
        return cast("FocalPoint", await self._transport.json(request))

    async def delete_focal_point(self, path: str) -> None:
        """Remove the focal point of the source at *path*. Not repeated: it would not be found again."""
        await self._transport.json(Request("DELETE", f"{_FOCAL_POINTS}/{in_url(path)}", repeat="refused"))

    async def trash(self) -> AsyncGenerator[DeletedSource, None]:
        """Yield the deleted sources, the last deletion first."""
        query: dict[str, str] = {}
        while True:
            page = cast("SourceTrashPage", await self._transport.json(Request("GET", _TRASH, query)))
            for source in page["items"]:
                yield source
            if "cursor" not in page:
                return
            query["cursor"] = page["cursor"]

    async def restore(self, items: Sequence[str], *, overwrite: bool = False) -> SourceRestore:
        """Restore up to 1,000 items of the trash; one without a path stands for all of its deletion."""
        body = {"items": list(items), "overwrite": overwrite}
        return cast("SourceRestore", await self._transport.json(Request("POST", f"{_TRASH}/restore", json=body)))

    async def move(self, source: str, target: str, *, overwrite: bool = False) -> None:
        """Move a source."""
        await self._send_pair("move", source, target, overwrite=overwrite)

    async def copy(self, source: str, target: str, *, overwrite: bool = False) -> None:
        """Copy a source."""
        await self._send_pair("copy", source, target, overwrite=overwrite)

    async def _send_pair(self, operation: str, source: str, target: str, *, overwrite: bool) -> None:
        body = {"from": source, "to": target, "overwrite": overwrite}
        await self._transport.json(Request("POST", f"{_BASE}/{operation}", json=body, repeat="refused"))


def _path(path: str) -> str:
    return f"{_BASE}/{in_url(path)}"
