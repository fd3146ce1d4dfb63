"""Handler of `images/url/{typeId}`."""

from typing import Annotated

from aiohttp import web
from pydantic import Field

from imageconverter.errors import InvalidValue, MissingField
from services.gateway import state
from services.gateway.http.responses import ResponseModel, json_response
from services.gateway.images_api.image_types import image_type


class ImageUrl(ResponseModel):
    """The URL of the images of a format."""

    url: Annotated[str, Field(pattern="^//.*[^/]$")]
    """Without scheme and trailing slash."""


async def image_url(request: web.Request) -> web.Response:
    """Return the URL of the images of a format, without scheme and file name."""
    kind = image_type(request)
    _check_subshop(request)
    node_id = request.query.get("formatNodeId")
    if not node_id:
        raise MissingField("formatNodeId was not passed.", field="formatNodeId")
    found = request.app[state.FORMATS].current.get(node_id)
    if found is None or found.type != kind:
        raise InvalidValue("There is no such format for this type.", field="formatNodeId")
    return json_response(ImageUrl(url=f"//{request.app[state.GATEWAY].content_base}/{found.target_directory}"))


def _check_subshop(request: web.Request) -> None:
    subshops = request.app[state.GATEWAY].subshop_ids
    given = request.query.get("subshopId")
    if given is None and not subshops:
        raise MissingField("subshopId was not passed.", field="subshopId")
    if given is not None and given not in subshops:
        raise InvalidValue("There is no such subshop.", field="subshopId")
