"""Handlers of `DELETE images/upload/{typeId}` and `DELETE images/upload/{typeId}/{filename}`."""

from aiohttp import web

from imageconverter.errors import InvalidValue
from imageconverter.images.deletion import delete_images
from imageconverter.images.image_formats import ImageFormat, ImageType
from services.gateway import audit, state
from services.gateway.images_api.image_types import image_type, type_id
from services.gateway.images_api.json_bodies import read_json
from services.gateway.images_api.request_bodies import DeletionBody, SingleDeletionBody
from services.gateway.images_api.subshops import subshop_in_query


async def delete_several(request: web.Request) -> web.Response:
    """Delete converted images by the file names in the body, in some formats or all of the type."""
    kind = image_type(request)
    body = await read_json(request, DeletionBody)
    if not body.names:
        raise InvalidValue("fileName is empty.", field="fileName")
    audit.describe(request, names=len(body.names))
    formats = _formats(request, kind, body.requested_formats)
    await delete_images(request.app[state.STORE], body.names, formats)
    return web.json_response({})


async def delete_one(request: web.Request) -> web.Response:
    """Delete the converted images with the file name in the path."""
    kind = image_type(request)
    body = await read_json(request, SingleDeletionBody)
    formats = _formats(request, kind, body.requested_formats)
    await delete_images(request.app[state.STORE], [request.match_info["filename"]], formats)
    return web.json_response({})


def _formats(request: web.Request, kind: ImageType, wanted: list[str] | None) -> list[ImageFormat]:
    catalog = subshop_in_query(request).formats
    if wanted is None:
        return [each for each in catalog.values() if each.type == kind]
    selected = catalog.select(wanted)
    other = next((each for each in selected if each.type != kind), None)
    if other is not None:
        raise InvalidValue(f"The image format {other.node_id} is not one of {type_id(kind)}.", field="formats")
    return selected
