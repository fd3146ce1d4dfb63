"""The API documentation: both OpenAPI documents in a viewer in which requests can be tried out."""

from http import HTTPStatus
from typing import Final

from aiohttp import web

from services.gateway.console.rendering import render
from services.gateway.console.session import visitor

PATH: Final = "/docs"
_DOCUMENTS: Final = {PATH: "/openapi/images.yaml", f"{PATH}/imageconverter": "/openapi/imageconverter.yaml"}


async def viewer(request: web.Request) -> web.StreamResponse:
    """Return the viewer of one of the documents. Everybody may read it; requests are sent with the reader's login."""
    return await render(request, "docs.html", visitor=visitor(request), document=_DOCUMENTS[request.path])


async def lead_to_viewer(_request: web.Request) -> web.Response:
    """Lead from `/docs/` to the viewer."""
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": PATH})
