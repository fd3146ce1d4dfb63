"""The part `sourceImage` of a multipart/form-data body (RFC 7578)."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from email.message import Message
from functools import partial

from aiohttp import web

from imageconverter.errors import MalformedBody, MissingField, TooLarge
from imageconverter.settings import MEGABYTE
from services.gateway import state
from services.gateway.http.bodies import announced_size, read_body

PART = "sourceImage"

_MAX_PARTS = 16
_MAX_HEAD_BYTES = 8 * 1024
_MAX_PARAMETERS = 16  # of a header, so that parsing takes no time that is quadratic in their number
_PARAMETER = re.compile(rb';\s*([^\s;=]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;]*))')
_ESCAPED = re.compile(rb"\\(.)")
_MAX_PADDING_BYTES = 64
_MAX_BOUNDARY_BYTES = 70  # RFC 2046, section 5.1.1
# Boundaries, part headers, and small parts that some clients send in addition to the image.
_ENVELOPE_BYTES = MEGABYTE // 4


@asynccontextmanager
async def source_image(request: web.Request) -> AsyncIterator[bytes]:
    """Read the body and yield the image in it; its memory is accounted for until the block ends.

    Raises MalformedBody if the body is not a valid form, MissingField unless it has exactly one non-empty image, and
    TooLarge.
    """
    app, gateway = request.app, request.app[state.GATEWAY]
    boundary = _boundary(request)
    max_bytes = gateway.max_upload_mb * MEGABYTE
    with app[state.STRANGER_MEMORY].body(announced_size(request, max_bytes + _ENVELOPE_BYTES)) as memory:
        body = await read_body(request, memory, limit=max_bytes + _ENVELOPE_BYTES, seconds=gateway.body_seconds)
        # In a thread, because it takes a while; there are few threads, so that few images are in memory twice.
        work = partial(find_source, body, boundary)
        image = await asyncio.get_running_loop().run_in_executor(app[state.DECODING], work)
        if len(image) > max_bytes:
            raise TooLarge("The image is too large.")
        yield image


def find_source(body: bytearray, boundary: bytes) -> bytes:
    """Return the image in *body* and empty *body*; raises MalformedBody and MissingField."""
    spans = [span for head, *span in _parts(body, boundary) if _name(head) == PART]
    if len(spans) != 1:
        raise MissingField(f"The body must have exactly one part {PART}.", field=PART)
    begin, end = spans[0]
    if begin >= end:
        raise MissingField(f"The part {PART} is empty.", field=PART)
    with memoryview(body) as view:
        image = bytes(view[begin:end])
    body.clear()
    return image


def _parts(body: bytearray, boundary: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the head, begin and end of each part, up to the closing delimiter."""
    delimiter = b"\r\n--" + boundary
    end = -2 if body.startswith(delimiter[2:]) else body.find(delimiter)
    if end == -1:
        raise MalformedBody("The body does not contain the boundary of its Content-Type.")
    for _ in range(_MAX_PARTS + 1):
        line = end + len(delimiter)
        if body.startswith(b"--", line):
            return
        line_end = body.find(b"\r\n", line, line + _MAX_PADDING_BYTES)
        if line_end < 0 or body[line:line_end].strip(b" \t"):
            raise MalformedBody("The body is malformed at a boundary.")
        head_end = body.find(b"\r\n\r\n", line_end, line_end + _MAX_HEAD_BYTES)
        if head_end < 0:
            raise MalformedBody("The headers of a part have no end, or are too long.")
        end = body.find(delimiter, head_end + 2)
        if end < 0:
            raise MalformedBody("The body ends within a part.")
        yield bytes(body[line_end + 2 : head_end]), head_end + 4, end
    raise MalformedBody(f"The body has more than {_MAX_PARTS} parts.")


def _name(head: bytes) -> str:
    """Return the name of the part with *head*; "" if it has none that can be parsed."""
    unfolded = re.sub(rb"\r\n(?=[ \t])", b"", head)
    for line in unfolded.split(b"\r\n"):
        field, _, value = line.partition(b":")
        if field.strip().lower() == b"content-disposition" and value.count(b";") <= _MAX_PARAMETERS:
            names = (match for match in _PARAMETER.finditer(value) if match[1].lower() == b"name")
            return next((_text(match) for match in names), "")
    return ""


def _text(parameter: re.Match[bytes]) -> str:
    """Return the value of a parameter, without its quotes and escapes."""
    quoted, token = parameter[2], parameter[3]
    return (token.strip() if quoted is None else _ESCAPED.sub(rb"\1", quoted)).decode("latin-1")


def _boundary(request: web.Request) -> bytes:
    header = Message()
    header["Content-Type"] = request.headers.get("Content-Type", "")
    if header.get_content_type() != "multipart/form-data":
        raise MalformedBody("The body must be multipart/form-data.")
    boundary = header.get_boundary("")
    if not boundary.isascii() or not 1 <= len(boundary) <= _MAX_BOUNDARY_BYTES:
        raise MalformedBody("The Content-Type has no valid boundary.")
    return boundary.encode()
