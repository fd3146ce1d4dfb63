"""Handlers of `images/focal-points`: the point of a source that crops keep."""

from typing import Annotated, Self

from aiohttp import web
from pydantic import Field

from imageconverter import keys
from imageconverter.engine.target import Point
from imageconverter.errors import NotFound
from imageconverter.images import uploads
from imageconverter.images.focal_points import read_points, set_point
from imageconverter.images.sources import existing, source_path
from services.gateway import state
from services.gateway.http.responses import EmptyResponse, ResponseModel, json_response
from services.gateway.http.stored_images import require_precondition
from services.gateway.images_api.automatic_sources import submit_source
from services.gateway.images_api.json_bodies import read_json
from services.gateway.images_api.request_bodies import FocalPointBody

_DIGITS = 4


class FocalPoint(ResponseModel):
    """A point of an image as a person sees it, that is after the EXIF orientation."""

    x: Annotated[float, Field(ge=0, le=1)]
    """Its share of the width, from the left."""
    y: Annotated[float, Field(ge=0, le=1)]
    """Its share of the height, from the top."""

    @classmethod
    def of(cls, point: Point) -> Self:
        """Return the response for *point*."""
        return cls(x=point[0], y=point[1])


async def show(request: web.Request) -> web.Response:
    """Return the focal point of a source."""
    path = source_path(request.match_info["path"])
    stored = await existing(request.app[state.STORE], path)
    point = (await read_points(request.app[state.STORE], path)).get(stored.etag)
    if point is None:
        raise NotFound("The source has no focal point.")
    return json_response(FocalPoint.of(point))


async def replace(request: web.Request) -> web.Response:
    """Set the focal point of a source."""
    path = _path(request)
    body = await read_json(request, FocalPointBody)
    point = round(body.x, _DIGITS), round(body.y, _DIGITS)
    await _set(request, path, point)
    return json_response(FocalPoint.of(point))


async def delete(request: web.Request) -> web.Response:
    """Remove the focal point of a source; its crops follow the image formats again."""
    await _set(request, _path(request), None)
    return json_response(EmptyResponse())


def _path(request: web.Request) -> str:
    """Return the path of the source; raises NotFound for an upload, which is converted only once."""
    path = source_path(request.match_info["path"])
    if uploads.is_upload(path):
        raise NotFound("There is no such source.")
    return path


async def _set(request: web.Request, path: str, point: Point | None) -> None:
    store = request.app[state.STORE]
    await require_precondition(request, keys.source(path))
    stored = await existing(store, path)
    if not await set_point(store, stored, point) and point is None:
        raise NotFound("The source has no focal point.")
    await submit_source(request, path)
