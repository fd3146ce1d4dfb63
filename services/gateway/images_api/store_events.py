"""Handler of `images/sources/events`: the events of an object store about changes in the source tree."""

from typing import Final

from aiohttp import web

from imageconverter import keys
from imageconverter.errors import InvalidValue
from imageconverter.images.sources import source_path
from services.gateway.http.responses import EmptyResponse, json_response
from services.gateway.images_api.automatic_sources import submit_sources
from services.gateway.images_api.json_bodies import read_json
from services.gateway.images_api.request_bodies import StoreEventBody

_MAX_RECORDS: Final = 1000


async def receive(request: web.Request) -> web.Response:
    """Submit the sources of an event, of whatever kind it is; what else it says about them is ignored."""
    body = await read_json(request, StoreEventBody)
    if len(body.Records) > _MAX_RECORDS:
        raise InvalidValue(f"Records must have {_MAX_RECORDS} entries at most.", field="Records")
    await submit_sources(request, [path for key in body.object_keys if (path := _source_path(key))])
    return json_response(EmptyResponse())


def _source_path(key: str) -> str:
    """Return the path of the source with an object *key*, "" if it is no key of a source."""
    try:
        return source_path(key.removeprefix(keys.SOURCE)) if key.startswith(keys.SOURCE) else ""
    except InvalidValue:
        return ""
