"""Responses with stored images: conditional requests, and single byte ranges (RFC 9110)."""

import base64
import re
from collections.abc import Callable, Mapping
from email.utils import format_datetime

from aiohttp import web

from imageconverter.errors import NotFound
from imageconverter.images.incoming import SHA256, is_sha256
from imageconverter.storage.store import OpenedObject, StoredObject
from services.gateway import state

_NO_IMAGE = "There is no such image."
_FIRST_BYTE = re.compile(r"=\d")  # a range without it is that of the last bytes, "-0" of none
_CONDITIONS = ("If-Match", "If-Unmodified-Since", "If-None-Match", "If-Modified-Since", "Range")


async def stored_image(
    request: web.Request,
    key: str,
    headers: Mapping[str, str],
    *,
    is_right: Callable[[StoredObject], bool] = lambda _: True,
) -> web.StreamResponse:
    """Stream the object at *key*, with *headers* in addition to those of the object.

    Raises NotFound if there is none, or it is not the right one.
    """
    store = request.app[state.STORE]
    if _is_conditional(request) or request.method == "HEAD":
        stored = await store.head(key)
        if stored is None or not is_right(stored):
            raise NotFound(_NO_IMAGE)
        if not _has_precondition(request, stored):
            raise web.HTTPPreconditionFailed
        if _is_unchanged(request, stored):
            return web.Response(status=304, headers={**_validators(stored), **headers})
        span = _span(request, stored)
    else:
        span = None
    opened = await store.open(key, span=span)
    if opened is None or not is_right(opened.stored):
        raise NotFound(_NO_IMAGE)
    stored = opened.stored
    response = web.StreamResponse(
        status=206 if span else 200,
        headers={**_validators(stored), **headers, "Content-Type": _media_type(opened), "Accept-Ranges": "bytes"},
    )
    if span is not None:
        response.headers["Content-Range"] = f"bytes {span[0]}-{span[1] - 1}/{stored.size}"
    response.content_length = span[1] - span[0] if span else stored.size
    await response.prepare(request)
    if request.method != "HEAD":
        async for chunk in opened.chunks:
            await response.write(chunk)
    await response.write_eof()
    return response


async def require_precondition(request: web.Request, key: str) -> None:
    """Raise HTTPPreconditionFailed if the object at *key* is not as the client expects that it replaces.

    With `If-None-Match: *` there must be none, with `If-Match` it must have one of these tags (RFC 9110, 13.1).
    """
    if not {"If-Match", "If-None-Match"} & {*request.headers}:
        return
    stored = await request.app[state.STORE].head(key)
    if "If-Match" in request.headers:
        is_expected = stored is not None and _has_precondition(request, stored)
    else:
        is_expected = stored is None or not _is_unchanged(request, stored)
    if not is_expected:
        raise web.HTTPPreconditionFailed


def _media_type(opened: OpenedObject) -> str:
    """Return the media type; other programs may have stored an image as something that a browser interprets."""
    return opened.content_type if opened.content_type.startswith("image/") else "application/octet-stream"


def _validators(stored: StoredObject) -> dict[str, str]:
    headers = {"ETag": stored.etag, "Last-Modified": format_datetime(stored.modified, usegmt=True)}
    sha256 = stored.metadata.get(SHA256, "")
    if is_sha256(sha256):  # other programs may have stored anything
        headers["Repr-Digest"] = f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:"
    return headers


def _is_conditional(request: web.Request) -> bool:
    return any(name in request.headers for name in _CONDITIONS)


def _has_precondition(request: web.Request, stored: StoredObject) -> bool:
    """Whether the image is the one that the client knows (RFC 9110, 13.2.2): by a strong tag, or else by date."""
    tags = request.if_match
    if tags is not None:
        return any(tag.value == "*" or (tag.value == stored.etag.strip('"') and not tag.is_weak) for tag in tags)
    since = request.if_unmodified_since
    return since is None or stored.modified.replace(microsecond=0) <= since


def _is_unchanged(request: web.Request, stored: StoredObject) -> bool:
    tags = request.if_none_match
    if tags is not None:
        return any(tag.value in ("*", stored.etag.strip('"')) for tag in tags)
    since = request.if_modified_since
    return since is not None and "If-None-Match" not in request.headers and stored.modified <= since


def _span(request: web.Request, stored: StoredObject) -> tuple[int, int] | None:
    """Return the requested range as first byte and byte after the last; None for the whole image."""
    condition = request.headers.get("If-Range")
    if condition not in (None, stored.etag, format_datetime(stored.modified, usegmt=True)):
        return None
    try:
        wanted = request.http_range
    except ValueError:
        return None  # several ranges or an invalid one: the whole image is always a correct response
    if wanted.start is None and wanted.stop is None:
        return None
    first, after, _ = wanted.indices(stored.size)
    is_empty = wanted.start == 0 and wanted.stop is None and not _FIRST_BYTE.search(request.headers["Range"])
    if first >= after or is_empty:
        raise web.HTTPRequestRangeNotSatisfiable(headers={"Content-Range": f"bytes */{stored.size}"})
    return first, after
