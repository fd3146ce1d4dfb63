"""Handlers of `images/sources`: the files of the source tree."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Self
from urllib.parse import quote

from aiohttp import web
from pydantic import Field

from imageconverter import keys
from imageconverter.errors import MissingField
from imageconverter.images import sources, uploads
from imageconverter.images.incoming import WHOLE_BYTES, Incoming, StoredImage, store_image
from imageconverter.images.names import directory_path
from imageconverter.images.sources import source_path
from imageconverter.storage.store import StoredObject
from services.gateway import audit, state
from services.gateway.auth.route_permissions import granted_types, require_types
from services.gateway.http.compression import compressed
from services.gateway.http.responses import (
    Count,
    EmptyResponse,
    Items,
    NonEmpty,
    ResponseModel,
    Timestamp,
    json_response,
    optional,
)
from services.gateway.http.revalidation import revalidated
from services.gateway.http.stored_images import require_precondition, stored_image
from services.gateway.images_api.automatic_sources import submit_source
from services.gateway.images_api.incoming_images import (
    announced,
    incoming_images,
    naming,
    open_body,
    require_form,
    whole_body,
)
from services.gateway.images_api.json_bodies import read_json
from services.gateway.images_api.listing import requested_page
from services.gateway.images_api.parameters import flag
from services.gateway.images_api.request_bodies import MoveBody


class Source(ResponseModel):
    """A source image."""

    path: NonEmpty
    """In the source tree."""
    size: Count
    """Bytes."""
    modified: Timestamp
    etag: str
    """Changes with the image. That of the object store: the MD5 of an image that was stored by one request."""
    thumbnail: NonEmpty
    """URL of a thumbnail, on this server."""

    @classmethod
    def of(cls, stored: StoredObject) -> Self:
        """Return the response for an object of a listing."""
        path = stored.key.removeprefix(keys.SOURCE)
        return cls(
            path=path,
            size=stored.size,
            modified=stored.modified,
            etag=stored.etag.strip('"'),
            thumbnail=f"/admin/api/v1/images/thumbnails/{quote(path)}",
        )


class SourcesPage(ResponseModel):
    """A page of the sources in a directory."""

    directories: tuple[str, ...]
    """Paths of the directories below it, on this page; none in a recursive listing."""
    items: tuple[Source, ...]
    cursor: NonEmpty | None = optional()
    """For the next page; the last one has none."""


class StoredSource(ResponseModel):
    """A source that was stored."""

    path: NonEmpty
    """In the source tree."""
    size: Count
    """Bytes."""
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    """Of the image, in hexadecimal digits."""
    type: NonEmpty
    """The file type, by the leading bytes."""

    @classmethod
    def of(cls, path: str, image: StoredImage) -> Self:
        """Return the response for *image*."""
        return cls(path=path, size=image.size, sha256=image.sha256, type=image.type.name)


class Deleted(ResponseModel):
    """Sources that were deleted."""

    trash: NonEmpty | None = optional()
    """The item of the trash by which they can be restored; none if they were deleted permanently."""


@compressed
@revalidated
async def list_sources(request: web.Request) -> web.Response:
    """Return the sources and directories in `?directory=`, or the sources below it, or what `?search=` finds."""
    if directory := request.query.get("directory", ""):
        source_path(directory, field="directory")
    page = await requested_page(request, "source")
    items = tuple(Source.of(each) for each in page.files)
    return json_response(SourcesPage(directories=tuple(page.directories), items=items, cursor=page.cursor or None))


async def show(request: web.Request) -> web.StreamResponse:
    """Stream a source; supports conditional requests and single byte ranges."""
    path = source_path(request.match_info["path"])
    return await stored_image(request, keys.source(path), {"Cache-Control": "private, no-cache"})


async def replace(request: web.Request) -> web.Response:
    """Store the image in the body as a source, in place of the one that is there."""
    path = source_path(request.match_info["path"])
    if uploads.is_upload(path):
        granted_types(request, "images.publish")  # staging touches no type, so one narrowed permission is enough
    else:
        require_types(request, "images.publish", None)
    await require_precondition(request, keys.source(path))
    async with open_body(request) as body:
        stored = await _store(request, path, whole_body(request, body), sha256=announced(request))
    return json_response(StoredSource.of(path, stored))


async def add(request: web.Request) -> web.Response:
    """Store the images of a form as sources in `?directory=`; their names may contain directories below it."""
    require_form(request)
    directory = request.query.get("directory", "")
    directory = directory_path(directory, field="directory") if directory else ""

    def check(name: str) -> str:
        return source_path(f"{directory}/{name}" if directory else name, field="fileName")

    stored: list[StoredSource] = []
    async with open_body(request) as body:
        async for image in incoming_images(request, body, [], check_name=check):
            with naming(image, request):
                stored.append(StoredSource.of(image.name, await _store(request, image.name, image.content)))
            audit.describe(request, images=len(stored))  # also if the next one is rejected
    if not stored:
        raise MissingField("The form has no file.", field="imageData")
    return json_response(Items(items=tuple(stored)))


async def delete(request: web.Request) -> web.Response:
    """Move a source to the trash, or delete it with `?permanently=true`; its converted images stay."""
    path, permanently = source_path(request.match_info["path"]), flag(request, "permanently")
    await require_precondition(request, keys.source(path))
    item = await sources.delete(request.app[state.STORE], path, permanently=permanently)
    return json_response(Deleted(trash=item or None))


async def move(request: web.Request) -> web.Response:
    """Move or rename a source."""
    require_types(request, "images.publish", None)  # the route requires the permission to delete
    body = await _read_move(request)
    async with memory_of_copy(request):
        await sources.move(request.app[state.STORE], body.from_, body.to, overwrite=body.overwrite)
    await submit_source(request, body.to)
    return json_response(EmptyResponse())


async def copy(request: web.Request) -> web.Response:
    """Copy a source."""
    body = await _read_move(request)
    async with memory_of_copy(request):
        await sources.copy(request.app[state.STORE], body.from_, body.to, overwrite=body.overwrite)
    await submit_source(request, body.to)
    return json_response(EmptyResponse())


@asynccontextmanager
async def memory_of_copy(request: web.Request) -> AsyncIterator[None]:
    """Account for the memory of an image that is not copied within the store."""
    with request.app[state.KEY_MEMORY].body(WHOLE_BYTES) as memory:
        await memory.grow(WHOLE_BYTES)
        yield


async def _read_move(request: web.Request) -> MoveBody:
    body = await read_json(request, MoveBody)
    audit.describe(request, source=body.from_, destination=body.to)
    changes = {"from_": source_path(body.from_, field="from"), "to": source_path(body.to, field="to")}
    body = body.model_copy(update=changes)
    await require_precondition(request, keys.source(body.from_))
    return body


async def _store(request: web.Request, path: str, incoming: Incoming, *, sha256: str = "") -> StoredImage:
    """Store an image; raises InvalidValue if there is a file or directory in the way."""
    store, limits = request.app[state.STORE], request.app[state.LIMITS]
    await sources.check_free(store, path, overwrite=True)
    staging_key = uploads.new_key(path.rpartition("/")[2])
    image = await store_image(store, keys.source(path), incoming, limits, staging_key=staging_key, sha256=sha256)
    await submit_source(request, path)
    return image
