"""Handlers of `/openapi/…`: the OpenAPI documents of the two APIs."""

import asyncio
from pathlib import Path

from aiohttp import web

from services.gateway.http.compression import compressed

# Links to the files in `openapi/` in a checkout; the files themselves in a wheel.
_FOLDER = Path(__file__).parent


@compressed
async def images(_request: web.Request) -> web.Response:
    """Return the document of the images API."""
    return await _document("images.yaml")


@compressed
async def imageconverter(_request: web.Request) -> web.Response:
    """Return the document of the ImageConverter API."""
    return await _document("imageconverter.yaml")


async def _document(name: str) -> web.Response:
    content = await asyncio.to_thread((_FOLDER / name).read_bytes)
    return web.Response(body=content, content_type="application/yaml")
