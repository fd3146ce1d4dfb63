"""Handlers of the ImageConverter API that store and return previews."""

import functools
import re
import time
from collections.abc import Callable

from aiohttp import BytesPayload, JsonPayload, MultipartWriter, web
from aiohttp.typedefs import Handler

from imageconverter.errors import MalformedRequest, QueueFull, TooManyRequests
from imageconverter.jobs import Client
from imageconverter.previews import PreviewFormat, parse
from imageconverter.previews.memory_cache import ServedPreview
from services.gateway import audit, state
from services.gateway.auth.attempts import client_address
from services.gateway.http.connection import has_left
from services.gateway.http.revalidation import client_has
from services.gateway.imageconverter_api.errors import done
from services.gateway.imageconverter_api.metrics import RequestKind
from services.gateway.imageconverter_api.multipart import source_image

_KEY = re.compile("[0-9A-Za-z._-]{1,256}")
_CONTEXT = re.compile("[0-9A-Za-z._-]{0,128}")


def operation(kind: RequestKind) -> Callable[[Handler], Handler]:
    """Decorate a handler: count its requests as *kind*, and reject them at once while too many are in progress."""

    def decorate(handler: Handler) -> Handler:
        @functools.wraps(handler)
        async def counted(request: web.Request) -> web.StreamResponse:
            metrics = request.app[state.PREVIEW_METRICS]
            began = time.perf_counter()
            try:
                request.app[state.PREVIEW_SLOTS].require_free()
                return await handler(request)
            except (QueueFull, TooManyRequests):
                metrics.refused(kind)
                raise
            finally:
                metrics.answered(kind, time.perf_counter() - began)

        return counted

    return decorate


@operation("get")
async def get_image(request: web.Request) -> web.Response:
    """Return the best match."""
    served = await _get(request)
    if client_has(request, served.etag):
        return web.Response(status=304, headers=_caching(served))
    return _image(served)


@operation("get")
async def get_image_and_metadata(request: web.Request) -> web.Response:
    """Return the best match and the metadata of the source."""
    return await _with_metadata(request, await _get(request))


@operation("get")
async def get_metadata(request: web.Request) -> web.Response:
    """Return the metadata of the source."""
    key, _ = key_of(request), context_of(request)
    with request.app[state.PREVIEW_SLOTS].taken():
        return web.json_response(await request.app[state.PREVIEWS].metadata(key))


@operation("cacheAndGet")
async def cache_and_get_image(request: web.Request) -> web.Response:
    """Return the best match; if the key is unknown, store the image in the body first."""
    return _image(await _cache_and_get(request))


@operation("cacheAndGet")
async def cache_and_get_image_and_metadata(request: web.Request) -> web.Response:
    """Return what `cacheAndGetImage` returns, and the metadata of the source."""
    return await _with_metadata(request, await _cache_and_get(request))


@operation("cache")
async def cache_image(request: web.Request) -> web.Response:
    """Store the image in the body under the key, replacing the previous one."""
    key, context = key_of(request), context_of(request)
    async with source_image(request) as source:
        with request.app[state.PREVIEW_SLOTS].taken():
            began = time.perf_counter()
            await request.app[state.PREVIEWS].cache(key, source, context=context, client=_client(request, context))
            request.app[state.PREVIEW_METRICS].processed(time.perf_counter() - began)
    return done()


def key_of(request: web.Request) -> str:
    """Return the key in the path; raises MalformedRequest if it is invalid."""
    key = request.match_info["imageKey"]
    if _KEY.fullmatch(key) is None:
        raise MalformedRequest("A key must have 1 to 256 letters, digits, dots, underscores and hyphens.")
    return key


def context_of(request: web.Request) -> str:
    """Return the context in the query, "" if there is none; raises MalformedRequest if it is invalid."""
    context = request.query.get("context", "")
    if _CONTEXT.fullmatch(context) is None:
        raise MalformedRequest("A context must have at most 128 letters, digits, dots, underscores and hyphens.")
    return context


def _client(request: web.Request, context: str) -> Client:
    """Return the client of a request; its images are those of its context at its address."""
    address = client_address(request, request.app[state.GATEWAY].trusted_proxies)
    return Client(f"context {context} at {address}", has_left=lambda: has_left(request))


@functools.lru_cache(maxsize=1000)
def _parsed(text: str) -> PreviewFormat:
    """Parse a format; clients use the same few again and again."""
    return parse(text.rstrip("/"))


async def _get(request: web.Request) -> ServedPreview:
    app = request.app
    key, requested, context = key_of(request), _parsed(request.match_info["requestFormat"]), context_of(request)
    with app[state.PREVIEW_SLOTS].taken():
        began = time.perf_counter()
        served = await app[state.PREVIEWS].get(key, requested, context=context, client=_client(request, context))
        app[state.PREVIEW_METRICS].served(requested, served, time.perf_counter() - began)
    return served


async def _cache_and_get(request: web.Request) -> ServedPreview:
    key, requested, context = key_of(request), _parsed(request.match_info["requestFormat"]), context_of(request)
    async with source_image(request) as source:
        with request.app[state.PREVIEW_SLOTS].taken():
            began = time.perf_counter()
            served = await request.app[state.PREVIEWS].cache_and_get(
                key, requested, source, context=context, client=_client(request, context)
            )
            request.app[state.PREVIEW_METRICS].served(requested, served, time.perf_counter() - began)
    if served.from_cache:
        audit.only_read(request)
    return served


def _image(served: ServedPreview) -> web.Response:
    return web.Response(body=served.data, headers={"Content-Type": served.media_type, **_caching(served)})


def _caching(served: ServedPreview) -> dict[str, str]:
    """Return headers that let a client, but no proxy, cache the preview and revalidate it."""
    return {"ETag": served.etag, "Cache-Control": "private, no-cache"}


async def _with_metadata(request: web.Request, served: ServedPreview) -> web.Response:
    """Return a form with the preview, then the metadata."""
    metadata = await request.app[state.PREVIEWS].metadata(key_of(request))
    form = MultipartWriter("form-data")
    image = BytesPayload(served.data, content_type=served.media_type)
    image.set_content_disposition("form-data", name="image", filename=served.media_type.replace("/", "."))
    text = JsonPayload(metadata)
    text.set_content_disposition("form-data", name="metadata")
    form.append_payload(image)
    form.append_payload(text)
    return web.Response(body=form, headers={"Cache-Control": "private, no-cache"})
