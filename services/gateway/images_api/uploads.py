"""Handlers of `images/upload` and `images/upload/convert`."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Annotated, NamedTuple

import pybase64
from aiohttp import web
from pydantic import Field

from imageconverter import keys
from imageconverter.engine import Limits
from imageconverter.errors import InvalidValue, MissingField, StoreUnavailable, UserError
from imageconverter.images import uploads
from imageconverter.images.conversions import check_names, convert_now
from imageconverter.images.image_formats import ImageFormat, ImageFormats
from imageconverter.images.incoming import store_image
from imageconverter.images.uploads import UploadedImage
from imageconverter.jobs import Client
from imageconverter.quoting import quoted
from imageconverter.settings import MEGABYTE
from services.gateway import audit, state
from services.gateway.auth.route_permissions import grant_of, granted_types, key_name, require_types
from services.gateway.http.bodies import announced_size, read_body
from services.gateway.http.connection import has_left
from services.gateway.http.responses import Items, Positive, ResponseModel, json_response
from services.gateway.idempotency.once import token as idempotency_token
from services.gateway.images_api.incoming_images import (
    announced,
    incoming_images,
    is_streamed,
    naming,
    open_body,
)
from services.gateway.images_api.json_bodies import parse
from services.gateway.images_api.parameters import flag
from services.gateway.images_api.request_bodies import UploadBody
from services.gateway.images_api.run_responses import format_result
from services.gateway.images_api.subshops import subshop_in_query

# File names, formats and JSON in addition to the images.
_ENVELOPE_BYTES = MEGABYTE
_MAX_NAME = 100  # characters of a name that are repeated in a reason


class Staged(ResponseModel):
    """A staged upload."""

    path: Annotated[str, Field(pattern="^upload/[0-9a-f]{12}$")]
    """The `directory` for a run."""
    size: Positive
    """Number of images that were added."""


class _Upload(NamedTuple):
    """Images that were stored, and the formats that were requested for them."""

    path: str
    names: list[str]
    formats: list[ImageFormat]


async def upload(request: web.Request) -> web.Response:
    """Stage one or several images; returns their directory.

    With `?directory=`, add them to the directory of an earlier upload. The formats are those of `?subshopId=`.
    """
    announced(request)
    subshop_in_query(request)  # before the body arrives
    granted_types(request, "images.publish")  # staging touches no type, so one narrowed permission is enough
    store, requested = request.app[state.STORE], request.query.get("directory")
    directory = _new_directory(request) if requested is None else await uploads.staged(store, requested)
    if is_streamed(request):
        path, names, _ = await _stage_arriving(request, directory)
        count = len(names)
    else:
        async with _received(request) as (images, _):
            for each in images:
                await _require_replaceable(request, directory, each.name)
            path = await uploads.stage(store, images, directory=directory)
            count = len(images)
    audit.describe(request, directory=path, images=count)
    return json_response(Staged(path=path, size=count))


async def upload_and_convert(request: web.Request) -> web.Response:
    """Stage one image and convert it while the client waits; returns a result for each format.

    With `?details=true`, a result has the exact size and duration.
    """
    announced(request)
    subshop_in_query(request)
    details = flag(request, "details")
    if is_streamed(request):
        path, names, formats = await _stage_arriving(request, _new_directory(request), single=True)
    else:
        async with _received(request, single=True) as (images, formats):
            require_types(request, "images.publish", {each.type for each in formats})
            path = await uploads.stage(request.app[state.STORE], images, directory=_new_directory(request))
            names = [images[0].name]
            images.clear()  # not needed while the client waits
    source_path = f"{path}/{names[0]}"
    audit.describe(request, source=source_path, formats=len(formats))
    outcomes = await convert_now(
        request.app[state.QUEUE],
        source_path,
        formats,
        client=Client(
            f"key {key_name(request)}", has_left=lambda: not idempotency_token(request) and has_left(request)
        ),
        limit=request.app[state.CONVERSION].max_interactive_queue,
        seconds=request.app[state.GATEWAY].wait_seconds,
    )
    return json_response(Items(items=tuple(format_result(source_path, each, details=details) for each in outcomes)))


def _new_directory(request: web.Request) -> str:
    """Return a new directory; the same one each time a request with an idempotency key is carried out."""
    return uploads.new_directory(idempotency_token(request))


async def _require_replaceable(request: web.Request, directory: str, name: str) -> None:
    """Raise InvalidValue if the image is there and the key is for some subshops: it may be that of another one."""
    grant = grant_of(request)
    if "directory" not in request.query or grant is None or grant.subshops is None:
        return
    if await request.app[state.STORE].head(keys.source(f"{directory}/{name}")) is not None:
        reason = f"The upload has an image {quoted(name[:_MAX_NAME])} already, which this key must not replace."
        raise InvalidValue(reason, field="fileName")


async def _stage_arriving(request: web.Request, directory: str, *, single: bool = False) -> _Upload:
    """Stage the images of a form or raw body while they arrive; if one is rejected, none of them is kept."""
    upload = _Upload(directory, [], [])
    try:
        await _receive(request, upload, single=single)
    except BaseException:
        with suppress(StoreUnavailable):  # they expire
            await request.app[state.STORE].delete(keys.source(f"{upload.path}/{name}") for name in upload.names)
        raise
    return upload


async def _receive(request: web.Request, upload: _Upload, *, single: bool) -> None:
    """Stage the images and add their names and formats to *upload*.

    If it is to be a *single* one, formats and the permission for their types are required.
    """
    requested: list[str] = []
    async with open_body(request) as body:
        async for image in incoming_images(request, body, requested):
            if single and upload.names:
                raise InvalidValue("upload/convert accepts one image only.", field="imageData")
            key = keys.source(f"{upload.path}/{image.name}")
            with naming(image, request):
                await _require_replaceable(request, upload.path, image.name)
                await store_image(
                    request.app[state.STORE],
                    key,
                    image.content,
                    request.app[state.LIMITS],
                    staging_key=uploads.new_key(image.name),
                    sha256=image.sha256,
                )
            upload.names.append(image.name)
    if not upload.names:
        raise MissingField("The form has no file.", field="imageData")
    if requested or single:
        upload.formats.extend(subshop_in_query(request).formats.select(requested))
    check_names(upload.names, upload.formats)
    if single:
        require_types(request, "images.publish", {each.type for each in upload.formats})


@asynccontextmanager
async def _received(
    request: web.Request, *, single: bool = False
) -> AsyncIterator[tuple[list[UploadedImage], list[ImageFormat]]]:
    """Read, parse and check a body; its memory is accounted for until the block ends, for storing the images."""
    app, gateway = request.app, request.app[state.GATEWAY]
    limit = gateway.max_upload_mb * MEGABYTE * 4 // 3 + _ENVELOPE_BYTES
    with app[state.KEY_MEMORY].body(announced_size(request, limit)) as memory:
        text = await read_body(request, memory, limit=limit, seconds=gateway.body_seconds)
        # In a thread, as parsing megabytes would block the event loop. There are few threads, so that few bodies
        # are in memory both as text and as bytes.
        work = partial(_unpack, text, subshop_in_query(request).formats, app[state.LIMITS], single=single)
        del text
        yield await asyncio.get_running_loop().run_in_executor(app[state.DECODING], work)


def _unpack(
    text: bytearray, catalog: ImageFormats, limits: Limits, *, single: bool
) -> tuple[list[UploadedImage], list[ImageFormat]]:
    body = parse(UploadBody, text)
    text.clear()  # frees the memory: the parsed strings are copies
    formats = catalog.select(body.formats)
    names, texts = body.names, body.texts
    if len(names) != len(texts) or not names:
        reason = "fileName and imageData must have the same number of elements"
        raise InvalidValue(f"{reason}; they have {len(names)} and {len(texts)}.", field="fileName")
    if single and len(names) != 1:
        raise InvalidValue("upload/convert accepts one image only.", field="imageData")
    images = [_image(name, text, limits, alone=len(names) == 1) for name, text in zip(names, texts, strict=True)]
    counts = Counter(image.name for image in images)
    if len(counts) < len(images):
        twice, _ = counts.most_common(1)[0]
        raise InvalidValue(f"The file name {quoted(twice)} is there twice.", field="fileName")
    check_names((image.name for image in images), formats)
    return images, formats


def _image(name: str, text: str, limits: Limits, *, alone: bool) -> UploadedImage:
    """Decode and check an image; if it is not *alone*, the reason of an error begins with its name."""
    try:
        return uploads.check(UploadedImage(name, _decode(text)), limits)
    except UserError as error:
        if alone or error.field == "fileName":  # which is named by the reason
            raise
        raise type(error)(f"{name[:_MAX_NAME]}: {error.reason}", field=error.field) from None


def _decode(text: str) -> bytes:
    """Decode standard base64 with padding; line breaks are allowed, other characters are not."""
    if "\n" in text or "\r" in text:
        text = text.replace("\r", "").replace("\n", "")
    try:
        data = pybase64.b64decode(text, validate=True)
    except ValueError:
        raise InvalidValue("imageData is not base64.", field="imageData") from None
    if not data:
        raise InvalidValue("imageData is empty.", field="imageData")
    return data
