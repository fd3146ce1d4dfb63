"""Handlers of `images/sources/presign` and `images/sources/publish`: uploads that do not go through the gateway."""

from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from aiohttp import web

from imageconverter import keys
from imageconverter.errors import InvalidValue, NotFound, TooLarge
from imageconverter.images import uploads
from imageconverter.images.incoming import publish
from imageconverter.images.sources import check_free, source_path
from imageconverter.settings import MEGABYTE
from services.gateway import audit, state
from services.gateway.http.responses import NonEmpty, ResponseModel, Timestamp, json_response
from services.gateway.images_api.automatic_sources import submit_source
from services.gateway.images_api.json_bodies import read_json
from services.gateway.images_api.request_bodies import PresignBody, PublishBody

_VALID_SECONDS: Final = 3600


class PresignedUpload(ResponseModel):
    """A request that a client may send to the object store, with the image as its body."""

    method: Literal["PUT"] = "PUT"
    url: NonEmpty
    """Valid for a body of the announced size only."""
    upload: NonEmpty
    """For `sources/publish`, after the request."""
    expires: Timestamp


class Published(ResponseModel):
    """A source that was uploaded to the object store."""

    path: NonEmpty
    type: NonEmpty
    """The file type, by the leading bytes."""


async def presign(request: web.Request) -> web.Response:
    """Return a request by which the client uploads a source to the object store; `publish` makes it a source."""
    body = await read_json(request, PresignBody)
    path = source_path(body.path)
    if body.size > _max_bytes(request):
        raise TooLarge("The image is too large.")
    key = uploads.new_key(path.rpartition("/")[2])
    url = await request.app[state.STORE].presign_put(key, size=body.size, seconds=_VALID_SECONDS)
    if not url:
        raise NotFound("Uploads to the object store are not configured (IMAGECONVERTER_S3_PUBLIC_ENDPOINT).")
    audit.describe(request, path=path)
    expires = datetime.now(UTC) + timedelta(seconds=_VALID_SECONDS)
    return json_response(PresignedUpload(url=url, upload=key.removeprefix(keys.SOURCE), expires=expires))


async def publish_upload(request: web.Request) -> web.Response:
    """Check an image that was uploaded to the object store, and make it a source."""
    body = await read_json(request, PublishBody)
    path = source_path(body.path)
    audit.describe(request, path=path, upload=body.upload)
    if not uploads.is_upload(body.upload):
        raise InvalidValue("There is no such upload.", field="upload")
    store = request.app[state.STORE]
    await check_free(store, path, overwrite=True)
    found = await publish(
        store,
        keys.source(body.upload),
        keys.source(path),
        request.app[state.LIMITS],
        max_bytes=_max_bytes(request),
    )
    await submit_source(request, path)
    return json_response(Published(path=path, type=found.name))


def _max_bytes(request: web.Request) -> int:
    return request.app[state.GATEWAY].max_upload_mb * MEGABYTE
