"""Multipart bodies, valid and malformed."""

import asyncio
import io
import time
import zlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imageconverter.errors import MalformedBody, MissingField
from imageconverter.settings import MEGABYTE
from services.gateway import state
from services.gateway.imageconverter_api.multipart import find_source
from tests.testing.fake_preview_cache import StandIn
from tests.testing.preview_requests import BASE, IMAGE, KEY, Client, code, form, put

PATH = f"{BASE}/cacheImage/{KEY}"
FORM = {"Content-Type": "multipart/form-data; boundary=b"}
HEAD = b'Content-Disposition: form-data; name="sourceImage"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'


def part(content: bytes, head: bytes = HEAD) -> bytes:
    """Return one part, with the boundary `b`."""
    return b"--b\r\n" + head + content + b"\r\n"


def named(name: bytes, content: bytes = b"x") -> bytes:
    """Return a part with another name."""
    return part(content, b'Content-Disposition: form-data; name="' + name + b'"\r\n\r\n')


async def post(client: Client, body: Any, **headers: str) -> tuple[int, int]:
    """Post a body; returns status and code."""
    data = io.BytesIO(body) if isinstance(body, bytes) else body
    async with client.post(PATH, data=data, headers={**FORM, **headers}) as response:
        return await code(response)


END = b"--b--\r\n"


@pytest.mark.parametrize(
    "body",
    [
        part(IMAGE) + END,
        part(IMAGE) + b"--b--",
        part(IMAGE) + END + b"an epilogue\r\n--b\r\n",
        b"a preamble\r\n" + part(IMAGE) + END,
        b"\r\n" + part(IMAGE) + END,
        b"--b \t\r\n" + HEAD + IMAGE + b"\r\n--b  \r\n\r\n\r\n" + END,
        named(b"other") + part(IMAGE) + named(b"sourceimage") + END,
        b"".join(named(b"%d" % number) for number in range(15)) + part(IMAGE) + END,
        part(IMAGE, b"content-disposition:form-data;NAME=sourceImage\r\n\r\n") + END,
        part(IMAGE, b'Content-Disposition: form-data; filename="; name=other"; name="sourceImage"\r\n\r\n') + END,
        part(IMAGE, b'X: y\r\nContent-Disposition: form-data;\r\n name="sourceImage"\r\n\r\n') + END,
        part(IMAGE, b'Content-Disposition: form-data; name="sourceImage"; filename="\xc3\xbc\xff"\r\n\r\n') + END,
        part(IMAGE, HEAD[:-2] + b"Content-Length: 3\r\n\r\n") + END,
        part(IMAGE, HEAD[:-2] + b"Content-Length: 99999999999999999999\r\n\r\n") + END,
    ],
)
async def test_the_image_part_is_found(client: Client, cache: StandIn, body: bytes) -> None:
    """With any other parts and headers."""
    assert await post(client, body) == (200, 0)
    assert cache.sources == {KEY: IMAGE}


@pytest.mark.parametrize("data", [IMAGE + b"\r\n--", IMAGE + b"\r\n--b"[:-1] + b"\r\n", IMAGE + b"\r\n" * 9])
async def test_an_image_that_contains_delimiters_is_complete(client: Client, cache: StandIn, data: bytes) -> None:
    """Only the full boundary ends it."""
    await put(client, data=data)

    assert cache.sources == {KEY: data}


@pytest.mark.parametrize(
    ("body", "number"),
    [
        (b"", 4002),
        (b"no form", 4002),
        (b"--b", 4002),
        (b"--c\r\n" + HEAD + IMAGE + b"\r\n--c--", 4002),
        (b"--bc\r\n" + HEAD + IMAGE + b"\r\n--b--", 4002),
        (b"--b\r\n", 4002),
        (b"--b\r\n" + HEAD, 4002),
        (part(IMAGE), 4002),
        (part(IMAGE) + b"--b", 4002),
        (part(IMAGE) + b"--b\r\n", 4002),
        (part(IMAGE).replace(b"\r\n", b"\n") + b"--b--", 4002),
        (b"--b\r\nX: " + b"x" * 9000 + b"\r\n\r\n" + IMAGE + b"\r\n--b--", 4002),
        (b"--b\r\n" + b"X: y\r\n" * 2000 + b"\r\n" + IMAGE + b"\r\n--b--", 4002),
        (END, 4003),
        (named(b"other", IMAGE) + END, 4003),
        (named(b"SOURCEIMAGE", IMAGE) + END, 4003),
        (part(IMAGE, b"\r\n\r\n") + END, 4003),
        (part(IMAGE, b"Content-Disposition: form-data\r\n\r\n") + END, 4003),
        (part(IMAGE, b"\xff\x00:\r\n:\r\n;;;=\r\n\r\n") + END, 4003),
        (part(IMAGE, b"Content-Disposition: form-data; name*=utf-8''sourceImage\r\n\r\n") + END, 4003),
        (part(b""), 4002),
        (part(b"") + END, 4003),
        (b"--b\r\n" + HEAD + b"--b--\r\n", 4003),
        (part(IMAGE) + part(IMAGE) + END, 4003),
        (part(IMAGE) + part(b"") + END, 4003),
        (b"".join(named(b"%d" % number) for number in range(16)) + part(IMAGE) + END, 4002),
    ],
)
async def test_a_body_without_exactly_one_image_is_rejected(
    client: Client, cache: StandIn, body: bytes, number: int
) -> None:
    """400, with different codes for a malformed body and one without the part."""
    assert await post(client, body) == (400, number)
    assert not cache.sources


@pytest.mark.parametrize(
    "content_type",
    [
        "image/png",
        "application/json",
        "multipart/mixed; boundary=b",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        'multipart/form-data; boundary=""',
        "multipart/form-data; boundary=ü",
        "multipart/form-data; boundary=" + "b" * 71,
        ";",
    ],
)
async def test_a_type_without_a_boundary_is_rejected(client: Client, content_type: str) -> None:
    """Other content types are rejected as well."""
    assert await post(client, part(IMAGE) + END, **{"Content-Type": content_type}) == (400, 4002)


async def test_a_boundary_may_have_any_allowed_character(client: Client) -> None:
    """Up to seventy characters, some of which must be quoted."""
    boundary = ("'()+_,-./:=? " * 6)[:69] + "b"
    body = (part(IMAGE) + END).replace(b"--b", b"--" + boundary.encode())

    assert await post(client, body, **{"Content-Type": f'Multipart/Form-Data; BOUNDARY="{boundary}"'}) == (200, 0)


async def test_forms_of_other_clients_are_accepted(client: Client) -> None:
    """A form written by aiohttp, in chunks."""

    async def chunks() -> AsyncIterator[bytes]:
        for byte in part(IMAGE) + END:
            yield bytes([byte])

    assert await post(client, chunks()) == (200, 0)
    async with client.post(PATH, data=form()) as response:
        assert await code(response) == (200, 0)


async def test_a_hundred_thousand_parts_are_rejected_quickly(client: Client) -> None:
    """Also as many empty parts, boundaries, line breaks and almost complete boundaries."""
    began = time.monotonic()
    for body in (
        b"".join(named(b"p") for _ in range(12_000)),
        b"--b\r\n\r\n\r\n" * 100_000 + END,
        b"--b\r\n" * 200_000 + END,
        b"\r\n" * 500_000 + END,
        (b"\r\n--" + b"b" * 69 + b"\r\n") * 14_000 + END,
    ):
        assert (await post(client, body))[0] == 400
    nearly = {"Content-Type": f"multipart/form-data; boundary={'b' * 70}"}
    assert (await post(client, (b"\r\n--" + b"b" * 69) * 14_000, **nearly))[0] == 400

    assert time.monotonic() - began < 5


@pytest.mark.parametrize("size", [MEGABYTE + 1, MEGABYTE + 300_000])
async def test_an_image_over_the_limit_is_too_large(client: Client, size: int) -> None:
    """By one byte, or by so much that it is rejected unread."""
    assert await post(client, part(bytes(size)) + END) == (413, 4130)


async def test_an_image_at_the_limit_is_accepted(client: Client) -> None:
    """The rest of the form does not count."""
    data = IMAGE + bytes(MEGABYTE - len(IMAGE))

    assert await post(client, named(b"other", bytes(100_000)) + part(data) + END) == (200, 0)


async def test_a_form_announced_over_the_limit_is_rejected_unread(client: Client) -> None:
    """The response arrives before any of the body is sent."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(head(99_999_999))
    async with asyncio.timeout(20):
        status = await reader.readline()
    writer.close()

    assert b" 413 " in status


async def test_endless_chunks_are_limited(client: Client) -> None:
    """They have no Content-Length."""

    async def chunks() -> AsyncIterator[bytes]:
        yield b"--b\r\n" + HEAD
        for _ in range(40):
            yield bytes(MEGABYTE)

    async with client.post(PATH, data=chunks(), headers=FORM) as response:
        assert await code(response) == (413, 4130)


async def test_a_compressed_form_is_limited_by_its_uncompressed_size(client: Client) -> None:
    """A small gzip of many zeros."""
    packer = zlib.compressobj(wbits=31)
    bomb = packer.compress(part(bytes(50 * MEGABYTE))) + packer.flush()

    assert await post(client, bomb, **{"Content-Encoding": "gzip"}) == (413, 4130)


@pytest.mark.parametrize("announced", [1, 10, len(IMAGE)])
async def test_a_content_length_that_is_too_small_truncates_the_body(
    client: Client, cache: StandIn, announced: int
) -> None:
    """The rest is not a valid request, and no partial image is stored."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(head(announced) + part(IMAGE) + END)
    async with asyncio.timeout(20):
        status = await reader.readline()
    writer.close()

    assert b" 400 " in status
    assert not cache.sources


async def test_a_content_length_that_is_too_large_times_out(client: Client) -> None:
    """The client has stopped sending."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    body = part(IMAGE) + END
    writer.write(head(len(body) + 1) + body)
    async with asyncio.timeout(20):
        status = await reader.readline()
    writer.close()

    assert b" 400 " in status


async def test_a_body_that_arrives_slowly_times_out(client: Client) -> None:
    """The timeout applies to the whole body."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(head(1000))
    answered = asyncio.create_task(reader.readline())
    async with asyncio.timeout(20):
        while not answered.done():
            writer.write(b"-")
            await asyncio.sleep(0.05)
    writer.close()

    assert b" 400 " in answered.result()


async def test_the_memory_of_a_body_is_released(client: Client) -> None:
    """After valid, invalid and aborted bodies."""
    app = client.app
    assert app is not None
    for body in (part(IMAGE) + END, b"", part(bytes(2 * MEGABYTE))):
        await post(client, body)
    _, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(head(1000) + b"--b")
    await writer.drain()
    writer.close()

    async with asyncio.timeout(20):
        while app[state.STRANGER_MEMORY].used:
            await asyncio.sleep(0.01)


@given(st.binary(max_size=400), st.sampled_from([b"", b"--b\r\n", b"--b\r\n" + HEAD]))
def test_no_body_is_an_internal_error(data: bytes, before: bytes) -> None:
    """Any bytes have an image or raise a user error."""
    for body in (before + data, before + data + b"\r\n--b--", b"--b\r\n" + data + b"\r\n\r\nx\r\n--b--"):
        try:
            assert find_source(bytearray(body), b"b")
        except (MalformedBody, MissingField) as error:
            assert error.reason  # noqa: PT017 - either of two outcomes is right


def head(length: int) -> bytes:
    """Return the head of a request with a Content-Length of *length* bytes."""
    return (
        f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM['Content-Type']}\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


def test_a_name_in_continuations_is_parsed_once() -> None:
    """RFC 2231 splits long values into pieces; no client needs that for so short a name."""
    pieces = b"; ".join(b"name*%d=x" % number for number in range(700))
    with pytest.raises((MissingField, MalformedBody)):
        find_source(bytearray(part(IMAGE, b"Content-Disposition: form-data; " + pieces + b"\r\n\r\n") + END), b"b")


@pytest.mark.timeout(20)
@pytest.mark.parametrize("text", [b";" * 7000, b'; a="' * 1500, b"; name*0=x" * 700, b"; a=\\" * 1500])
def test_parsing_a_header_takes_linear_time(text: bytes) -> None:
    """A hundred forms, each with as many headers of separators as it may have."""
    body = part(b"x", b"Content-Disposition: form-data" + text + b"\r\n\r\n") * 16 + END
    for _ in range(100):
        with pytest.raises((MissingField, MalformedBody)):
            find_source(bytearray(body), b"b")
