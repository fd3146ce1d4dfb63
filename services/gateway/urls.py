"""Handler of `images/url/{typeId}`."""

from aiohttp import web

from imageconverter.errors import InvalidValue, MissingField
from imageconverter.formats import PictureType
from services.gateway import state
from services.gateway.access import AREA

TYPE_IDS: dict[str, PictureType] = {"categories": "category", "products": "product", "appImages": "app"}


async def image_url(request: web.Request) -> web.Response:
    """Answer with the address below which the pictures of a format are found, without scheme and file name."""
    grant = request.app[state.KEYS].grant(request)
    picture_type = TYPE_IDS.get(request.match_info["typeId"])
    if picture_type is not None:
        grant.require(f"{AREA[picture_type]}.read")
    else:
        raise InvalidValue("The type is none of categories, products and appImages.", field="typeId")
    _check_subshop(request)
    node_id = request.query.get("formatNodeId")
    if not node_id:
        raise MissingField("formatNodeId was not passed.", field="formatNodeId")
    found = request.app[state.FORMATS].get(node_id)
    if found is None or found.type != picture_type:
        raise InvalidValue("There is no such format for this type.", field="formatNodeId")
    return web.json_response({"url": f"//{request.app[state.GATEWAY].content_base}/{found.target_directory}"})


def _check_subshop(request: web.Request) -> None:
    subshops = request.app[state.GATEWAY].subshop_ids
    given = request.query.get("subshopId")
    if given is None and not subshops:
        raise MissingField("subshopId was not passed.", field="subshopId")
    if given is not None and given not in subshops:
        raise InvalidValue("There is no such subshop.", field="subshopId")
