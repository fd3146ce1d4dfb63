"""The page *Convert*: images are dropped, and come back in the chosen formats."""

from aiohttp import web

from imageconverter.images.image_formats import ImageFormat
from services.gateway import state
from services.gateway.auth.route_permissions import granted_types
from services.gateway.console.rendering import render
from services.gateway.images_api.image_types import type_id


async def page(request: web.Request) -> web.StreamResponse:
    """Return the page, with the formats of the types that the key may publish."""
    types = granted_types(request, "images.publish")
    formats = [each for each in request.app[state.FORMATS].current.values() if each.type in types]
    return await render(request, "convert.html", formats=[_shown(each) for each in formats])


def _shown(each: ImageFormat) -> dict[str, object]:
    return {
        "id": each.node_id,
        "name": each.name,
        "type": type_id(each.type),
        "width": each.max_width,
        "height": each.max_height,
        "fit": each.fit,
        "output": each.output,
        "directory": each.target_directory,
    }
