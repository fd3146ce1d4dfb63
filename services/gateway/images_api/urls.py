"""Handler of `images/url/{typeId}`."""

from aiohttp import web

from imageconverter.errors import InvalidValue, MissingField
from imageconverter.images.formats import ImageType
from services.gateway import state
from services.gateway.auth.access import AREA

TYPE_IDS: dict[str, ImageType] = {"categories": "category", "products": "product", "appImages": "app"}


def image_type(request: web.Request, default: ImageType | None = None) -> ImageType:
    """Return the type that the path names, *default* where it names none; raises InvalidValue."""
    type_id = request.match_info.get("typeId")
    found = default if type_id is None else TYPE_IDS.get(type_id)
    if found is None:
        raise InvalidValue("The type is none of categories, products and appImages.", field="typeId")
    return found


async def image_url(request: web.Request) -> web.Response:
    """Answer with the address below which the images of a format are found, without scheme and file name."""
    grant = request.app[state.KEYS].grant(request)
    kind = image_type(request)
    grant.require(f"{AREA[kind]}.read")
    _check_subshop(request)
    node_id = request.query.get("formatNodeId")
    if not node_id:
        raise MissingField("formatNodeId was not passed.", field="formatNodeId")
    found = request.app[state.FORMATS].get(node_id)
    if found is None or found.type != kind:
        raise InvalidValue("There is no such format for this type.", field="formatNodeId")
    return web.json_response({"url": f"//{request.app[state.GATEWAY].content_base}/{found.target_directory}"})


def _check_subshop(request: web.Request) -> None:
    subshops = request.app[state.GATEWAY].subshop_ids
    given = request.query.get("subshopId")
    if given is None and not subshops:
        raise MissingField("subshopId was not passed.", field="subshopId")
    if given is not None and given not in subshops:
        raise InvalidValue("There is no such subshop.", field="subshopId")
