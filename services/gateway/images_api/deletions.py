"""Handlers of `DELETE images/upload/{typeId}` and `DELETE images/upload/{typeId}/{filename}`."""

from aiohttp import web

from imageconverter.errors import InvalidValue
from imageconverter.images.deletion import delete_pictures
from imageconverter.images.formats import Format, PictureType
from services.gateway import state
from services.gateway.images_api.schemas import DeletionBody, SingleDeletionBody, read_json
from services.gateway.images_api.urls import TYPE_IDS


async def delete_several(request: web.Request) -> web.Response:
    """Delete the converted pictures of the names in the body, of some formats or all of the type."""
    picture_type = _authorised_type(request)
    body = await read_json(request, DeletionBody)
    if not body.names:
        raise InvalidValue("fileName is empty.", field="fileName")
    formats = _formats(request, picture_type, body.wanted)
    await delete_pictures(request.app[state.STORE], body.names, formats)
    return web.json_response({})


async def delete_one(request: web.Request) -> web.Response:
    """Delete the converted pictures of the name in the path."""
    picture_type = _authorised_type(request)
    body = await read_json(request, SingleDeletionBody)
    formats = _formats(request, picture_type, body.wanted)
    await delete_pictures(request.app[state.STORE], [request.match_info["filename"]], formats)
    return web.json_response({})


def _authorised_type(request: web.Request) -> PictureType:
    grant = request.app[state.KEYS].grant(request)
    picture_type = TYPE_IDS.get(request.match_info["typeId"])
    grant.require("images.delete", picture_type)
    if picture_type is None:
        raise InvalidValue("The type is none of categories, products and appImages.", field="typeId")
    return picture_type


def _formats(request: web.Request, picture_type: PictureType, wanted: list[str] | None) -> list[Format]:
    catalog = request.app[state.FORMATS]
    if wanted is None:
        return [each for each in catalog.values() if each.type == picture_type]
    selected = catalog.select(wanted)
    if any(each.type != picture_type for each in selected):
        raise InvalidValue("One of the formats is not of this type.", field="formats")
    return selected
