"""Handler of `/openapi/images.yaml`: the contract of the images API, as it is written."""

from pathlib import Path

from aiohttp import web

# A link to `openapi/images.yaml` in a checkout; the file itself in a wheel.
_DOCUMENT = Path(__file__).with_name("images.yaml")


async def images(_request: web.Request) -> web.FileResponse:
    """Answer the OpenAPI document; public, it says nothing that the source does not."""
    return web.FileResponse(_DOCUMENT, headers={"Content-Type": "application/yaml"})
