"""Handlers of `DELETE images/upload/{typeId}` and `DELETE images/upload/{typeId}/{filename}`."""

from aiohttp import web

from imageconverter.errors import InvalidValue
from imageconverter.images.deletion import delete_images
from imageconverter.images.formats import ImageFormat, ImageType
from services.gateway import state
from services.gateway.images_api.schemas import DeletionBody, SingleDeletionBody, read_json
from services.gateway.images_api.urls import TYPE_IDS


async def delete_several(request: web.Request) -> web.Response:
    """Delete the converted images of the names in the body, of some formats or all of the type."""
    image_type = _authorised_type(request)
    body = await read_json(request, DeletionBody)
    if not body.names:
        raise InvalidValue("fileName is empty.", field="fileName")
    formats = _formats(request, image_type, body.wanted)
    await delete_images(request.app[state.STORE], body.names, formats)
    return web.json_response({})


async def delete_one(request: web.Request) -> web.Response:
    """Delete the converted images of the name in the path."""
    image_type = _authorised_type(request)
    body = await read_json(request, SingleDeletionBody)
    formats = _formats(request, image_type, body.wanted)
    await delete_images(request.app[state.STORE], [request.match_info["filename"]], formats)
    return web.json_response({})


def _authorised_type(request: web.Request) -> ImageType:
    grant = request.app[state.KEYS].grant(request)
    image_type = TYPE_IDS.get(request.match_info["typeId"])
    grant.require("images.delete", image_type)
    if image_type is None:
        raise InvalidValue("The type is none of categories, products and appImages.", field="typeId")
    return image_type


def _formats(request: web.Request, image_type: ImageType, wanted: list[str] | None) -> list[ImageFormat]:
    catalog = request.app[state.FORMATS]
    if wanted is None:
        return [each for each in catalog.values() if each.type == image_type]
    selected = catalog.select(wanted)
    if any(each.type != image_type for each in selected):
        raise InvalidValue("One of the formats is not of this type.", field="formats")
    return selected
