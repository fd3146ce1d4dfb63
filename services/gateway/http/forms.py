"""Forms (multipart/form-data, RFC 7578), read part by part while they arrive."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web
from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser, parse_options_header

from imageconverter.errors import MalformedBody, TooLarge
from services.gateway.http.bodies import BodyStream

MEDIA_TYPE: Final = "multipart/form-data"
MAX_PARTS: Final = 1000
_MAX_BOUNDARY_BYTES: Final = 70  # RFC 2046, section 5.1.1
_CHUNK_BYTES: Final = 256 * 1024


@dataclass(frozen=True)
class Part:
    """A part of a form; its chunks have to be read before the next part is."""

    name: str
    file_name: str | None
    """None if the part is a field, not a file."""
    chunks: AsyncIterator[bytes]

    async def text(self, *, max_bytes: int) -> str:
        """Return the value of a field; raises TooLarge, and MalformedBody if it is not UTF-8."""
        data = bytearray()
        async for chunk in self.chunks:
            data += chunk
            if len(data) > max_bytes:
                raise TooLarge(f"The form field {self.name[:100]} is too large.")
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise MalformedBody("A form field is not UTF-8.") from None


async def parts(request: web.Request, stream: BodyStream) -> AsyncIterator[Part]:
    """Yield the parts of the form that arrives in *stream*. Raises MalformedBody, and what the stream raises."""
    events = _events(PushMultipartParser(boundary(request), max_segment_count=MAX_PARTS, strict=True), stream)
    async for event in events:
        if isinstance(event, MultipartSegment):
            chunks = _chunks(events)
            yield Part(event.name, event.filename, chunks)
            async for _ in chunks:  # what the caller has not read
                pass


async def _events(parser: PushMultipartParser, stream: BodyStream) -> AsyncIterator[Any]:
    """Yield each part, then its chunks, then None."""

    async def read(_: int) -> bytes:
        return await anext(stream, b"")

    try:
        async for event in parser.parse_async(read, _CHUNK_BYTES):
            yield event
        async for _ in stream:  # after the end of the form
            pass
    except ParserLimitReached:
        reason = f"The form has more than {MAX_PARTS} parts, or too long headers."
        raise MalformedBody(reason) from None
    except MultipartError:
        raise MalformedBody("The form is malformed.") from None


async def _chunks(events: AsyncIterator[Any]) -> AsyncIterator[bytes]:
    async for event in events:
        if event is None:
            return
        yield bytes(event)


def is_form(request: web.Request) -> bool:
    """Whether the body of *request* is a form.

    `request.content_type` would parse the boundary, too, for half a millisecond: each request has another one.
    """
    return request.headers.get("Content-Type", "").partition(";")[0].strip().lower() == MEDIA_TYPE


def boundary(request: web.Request) -> str:
    """Return the boundary of the form in *request*; raises MalformedBody if there is no valid one."""
    _, options = parse_options_header(request.headers["Content-Type"])
    found: str = options.get("boundary", "")
    if not found.isascii() or not 1 <= len(found) <= _MAX_BOUNDARY_BYTES:
        raise MalformedBody("The Content-Type has no valid boundary.")
    return found
