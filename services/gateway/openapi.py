"""Handlers of `/openapi/…`: the OpenAPI documents of the two APIs."""

from pathlib import Path

from aiohttp import web

# Links to the files in `openapi/` in a checkout; the files themselves in a wheel.
_FOLDER = Path(__file__).parent


async def images(_request: web.Request) -> web.FileResponse:
    """Return the document of the images API."""
    return _document("images.yaml")


async def imageconverter(_request: web.Request) -> web.FileResponse:
    """Return the document of the ImageConverter API."""
    return _document("imageconverter.yaml")


def _document(name: str) -> web.FileResponse:
    return web.FileResponse(_FOLDER / name, headers={"Content-Type": "application/yaml"})
