"""Images in the body of a request as the web sends them: a form of several, or the bytes of one.

They can be stored while they arrive. Bodies of JSON, with images in base64, are read by `uploads`.
"""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final, NamedTuple

import pybase64
from aiohttp import web

from imageconverter.errors import InvalidFieldFormat, InvalidValue, MalformedBody, UnknownField, UserError
from imageconverter.images.incoming import Incoming
from imageconverter.images.uploads import image_name
from imageconverter.quoting import is_plain, quoted
from imageconverter.settings import MEGABYTE
from services.gateway import state
from services.gateway.http import forms
from services.gateway.http.bodies import BodyStream, announced_size

_STREAM_SECONDS: Final = 3600.0  # a client that is too slow is noticed long before
_FORM_UPLOADS: Final = 16  # uploads of the maximum size that a form may have
_MEMORY_BYTES: Final = 8 * MEGABYTE
_MAX_FIELD_BYTES: Final = 64 * 1024
_MAX_NAME: Final = 100  # characters of a name that are repeated in a reason
_DIGEST: Final = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):")


class IncomingImage(NamedTuple):
    """An image that can be read, once."""

    name: str
    """Checked, and in normal form."""
    content: Incoming
    sha256: str
    """As announced, in hexadecimal digits; "" if it was not."""


def is_streamed(request: web.Request) -> bool:
    """Whether the body of *request* is a form, or the bytes of an image whose name is in the query."""
    return forms.is_form(request) or "fileName" in request.query


def require_form(request: web.Request) -> None:
    """Raise MalformedBody unless the body of *request* is a form."""
    if not forms.is_form(request):
        raise MalformedBody("The body must be multipart/form-data.")


@asynccontextmanager
async def open_body(request: web.Request) -> AsyncIterator[BodyStream]:
    """Open the body of *request*; what is in memory of it is accounted for until the block ends."""
    limit = request.app[state.GATEWAY].max_upload_mb * MEGABYTE
    limit *= _FORM_UPLOADS if forms.is_form(request) else 1
    expected = min(announced_size(request, limit), _MEMORY_BYTES)
    with request.app[state.KEY_MEMORY].body(expected) as memory:
        yield BodyStream(request, memory, limit=limit, seconds=_STREAM_SECONDS)


async def incoming_images(
    request: web.Request, body: BodyStream, formats: list[str], *, check_name: Callable[[str], str] = image_name
) -> AsyncIterator[IncomingImage]:
    """Yield the images in the *body*, each to be read before the next one, and append to *formats* what is requested.

    Raises UnknownField and InvalidValue, what *check_name* and the body raise.
    """
    if not forms.is_form(request):
        _add_formats(formats, request.query.getall("formats", []))
        yield IncomingImage(check_name(request.query["fileName"]), _incoming(request, body, body), announced(request))
        return
    names: set[str] = set()
    async for part in forms.parts(request, body):
        if part.file_name is None:
            if part.name != "formats":
                raise UnknownField(
                    f"The form has an unknown field {quoted(part.name)}; the only one beside files is formats.",
                    field=part.name[:_MAX_NAME] if is_plain(part.name) else "",
                )
            _add_formats(formats, [await part.text(max_bytes=_MAX_FIELD_BYTES)])
        elif part.file_name:  # a page sends an empty name for an input in which no file was chosen
            name = check_name(part.file_name)
            if name in names:
                raise InvalidValue(f"The file name {quoted(name)} is there twice.", field="fileName")
            names.add(name)
            yield IncomingImage(name, _incoming(request, part.chunks, body), "")


@contextmanager
def naming(image: IncomingImage, request: web.Request) -> Iterator[None]:
    """Context in which the reason of an error begins with the name of the *image*, if it may be one of several."""
    try:
        yield
    except UserError as error:
        if forms.is_form(request):
            error.reason = f"{image.name[:_MAX_NAME]}: {error.reason}"
        raise


def announced(request: web.Request) -> str:
    """Return the SHA-256 in the header Repr-Digest (RFC 9530), in hexadecimal digits; "" without the header.

    Raises InvalidFieldFormat if the header has none.
    """
    value = request.headers.get("Repr-Digest")
    if value is None:
        return ""
    found = _DIGEST.search(value)
    if found is None:
        raise InvalidFieldFormat("Repr-Digest must be sha-256=:<base64>:.", field="Repr-Digest")
    return pybase64.b64decode(found[1]).hex()


def whole_body(request: web.Request, body: BodyStream) -> Incoming:
    """Return the *body* as the bytes of an image."""
    return _incoming(request, body, body)


def _incoming(request: web.Request, chunks: AsyncIterator[bytes], body: BodyStream) -> Incoming:
    max_bytes = request.app[state.GATEWAY].max_upload_mb * MEGABYTE
    return Incoming(chunks, max_bytes=max_bytes, release=body.release)


def _add_formats(formats: list[str], values: list[str]) -> None:
    formats += [each.strip() for value in values for each in value.split(",")]
