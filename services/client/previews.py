"""The previews of the ImageConverter API."""

from collections.abc import Sequence
from typing import Any, cast
from urllib.parse import quote

import aiohttp

from services.client import downloads
from services.client.content import Content, is_repeatable
from services.client.transport import Repeat, Request, Transport

_BASE = "/imageconverter"


class Previews:
    """Operations of the ImageConverter API; each raises ApiError."""

    def __init__(self, transport: Transport, user: str, password: str) -> None:
        """Send requests by *transport*; *user* and *password* are those for listing and removing keys."""
        self._transport = transport
        self._auth = aiohttp.BasicAuth(user, password, "utf-8") if password else None

    async def get(self, key: str, size: str, *, image: Content | None = None, context: str = "") -> bytes:
        """Return the preview of *key* that matches *size* best, like `auto:200x150~cover`.

        If the key is unknown, *image* is stored first. Raises NotFoundError if the key is unknown and there is none.
        """
        operation = "getImage" if image is None else "cacheAndGetImage"
        return await downloads.read(self._transport, self._request(operation, [key, size], image, context))

    async def put(self, key: str, image: Content, *, context: str = "") -> None:
        """Store *image* in place of that of *key*."""
        await self._transport.json(self._request("cacheImage", [key], image, context))

    async def metadata(self, key: str) -> dict[str, Any]:
        """Return the metadata of the image of *key*."""
        return cast("dict[str, Any]", await self._transport.json(self._request("getMetadata", [key])))

    async def count(self, *, context: str = "") -> int:
        """Return the number of keys, of a *context* only if it is given."""
        return int((await self._transport.json(self._request("getKeyCount", [], context=context)))["count"])

    async def keys(self, *, context: str = "") -> list[str]:
        """Return the keys, of a *context* only if it is given. Needs the password."""
        request = self._request("getKeys", [], context=context, auth=self._auth)
        return cast("list[str]", (await self._transport.json(request))["keys"])

    async def delete(self, key: str) -> None:
        """Remove *key*. Needs the password."""
        await self._transport.json(self._request("clearImagesByKey", [key], auth=self._auth, method="DELETE"))

    async def clear(self, *, context: str = "") -> None:
        """Remove all keys, or those of a *context*. Needs the password."""
        await self._transport.json(
            self._request("clearImages", [], context=context, auth=self._auth, method="DELETE")
        )

    def _request(
        self,
        operation: str,
        parts: Sequence[str],
        image: Content | None = None,
        context: str = "",
        *,
        auth: aiohttp.BasicAuth | None = None,
        method: str = "GET",
    ) -> Request:
        path = "/".join([_BASE, operation, *(_in_segment(part) for part in parts)])
        query = {"context": context} if context else {}
        if image is None:
            return Request(method, path, query, auth=auth)
        repeat: Repeat = "always" if is_repeatable(image) else "never"
        return Request("POST", path, query, content=image, form_field="sourceImage", repeat=repeat, auth=auth)


def _in_segment(text: str) -> str:
    return quote(text, safe="")
