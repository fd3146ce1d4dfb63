"""Reading catalogs from web servers, including faulty ones, on loopback."""

import asyncio
import gzip

import pytest
from aiohttp import web

from imageconverter.catalog import read_entries
from imageconverter.errors import SourceRefused, SourceUnavailable
from services.reporter.sources import SourceLimits
from services.reporter.sources.feed import open_feed
from tests.testing.feeds import ALLOWED, CSV, NDJSON, answering, fetched, raw, serving


@pytest.mark.parametrize(
    ("path", "content_type", "notation"),
    [
        ("/feed", "text/csv; charset=utf-8", "csv"),
        ("/feed", "application/x-ndjson", "ndjson"),
        ("/feed.csv", "application/jsonl", "ndjson"),
        ("/feed.CSV?token=x", "application/octet-stream", "csv"),
        ("/feed.csv.gz", "application/gzip", "csv"),
        ("/feed.jsonl", "text/plain", "ndjson"),
        ("/feed", "text/plain", "ndjson"),
    ],
)
async def test_the_notation_is_that_of_the_type_or_else_of_the_suffix(
    path: str, content_type: str, notation: str
) -> None:
    """A type without a notation is ignored."""
    async with (
        serving(answering(content_type=content_type)) as root,
        open_feed(root + path, SourceLimits(), private_hosts=ALLOWED) as source,
    ):
        assert source.notation == notation


@pytest.mark.parametrize("encoding", ["", "gzip"])
@pytest.mark.parametrize("members", [1, 3])
async def test_a_compressed_feed_is_uncompressed_as_it_comes(encoding: str, members: int) -> None:
    """Whether the server calls the file compressed, or the way to us."""
    body = b"".join(gzip.compress(NDJSON) for _ in range(members))
    async with serving(answering(body, encoding=encoding)) as root:
        assert await fetched(root + "/feed.ndjson.gz") == NDJSON * members


async def test_entries_come_out_of_a_feed() -> None:
    """What all this is for."""
    async with (
        serving(answering(CSV, content_type="text/csv")) as root,
        open_feed(root, SourceLimits(), private_hosts=ALLOWED) as source,
    ):
        found = [entry async for page in read_entries(source.chunks, source.notation) for entry in page]
    assert [(entry.id, entry.images) for entry in found] == [("1", ("a.jpg",))]


@pytest.mark.parametrize("status", [500, 502, 503, 429, 408])
async def test_server_errors_are_temporary(status: int) -> None:
    """With what it answered in the reason."""
    async with serving(answering(status=status)) as root:
        with pytest.raises(SourceUnavailable, match=str(status)):
            await fetched(root)


@pytest.mark.parametrize("status", [404, 403, 401, 410, 204, 206, 304])
async def test_a_server_that_does_not_hand_it_out_refuses(status: int) -> None:
    """Anything but 200 is no feed."""
    async with serving(answering(b"", status=status)) as root:
        with pytest.raises(SourceRefused, match=str(status)):
            await fetched(root)


HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        HEAD + b"Content-Length: 1000\r\n\r\n" + NDJSON,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n31\r\n" + NDJSON,
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: 20\r\n\r\n" + b"not gzip at all.....",
        HEAD + b"Connection: close\r\n\r\n" + gzip.compress(NDJSON)[:-9],
        HEAD + b"Connection: close\r\n\r\n" + NDJSON.rstrip(b"\n"),
        b"",
        b"nonsense\r\n\r\n",
        HEAD + b"Content-Length: many\r\n\r\n",
    ],
    ids=["short", "chunk", "encoding", "gzip", "cut line", "nothing", "nonsense", "length"],
)
async def test_an_answer_that_breaks_off_may_be_tried_again(answer: bytes) -> None:
    """It is never taken for the whole."""
    async with raw(answer) as address:
        with pytest.raises(SourceUnavailable):
            await fetched(address)


@pytest.mark.parametrize("body", [NDJSON.rstrip(b"\n") + b"\n", gzip.compress(NDJSON)], ids=["lines", "gzip"])
async def test_a_feed_without_a_length_is_complete_if_its_last_line_is(body: bytes) -> None:
    """Old servers end a response by closing the connection."""
    async with raw(HEAD + b"Connection: close\r\n\r\n" + body) as address:
        assert (await fetched(address)).rstrip(b"\n") == NDJSON.rstrip(b"\n")


async def test_what_begins_like_gzip_and_is_none_is_refused() -> None:
    """It will be so the next time as well."""
    async with serving(answering(b"\x1f\x8b" + bytes(100))) as root:
        with pytest.raises(SourceRefused, match="gzip"):
            await fetched(root)


@pytest.mark.parametrize(
    "answer", [b"", HEAD, HEAD + b"Content-Length: 1000\r\n\r\n" + NDJSON], ids=["nothing", "head", "body"]
)
async def test_a_silent_server_is_left(answer: bytes) -> None:
    """Before its answer, in it, and in the feed."""
    async with raw(answer, stay=True) as address:
        with pytest.raises(SourceUnavailable, match="in time"):
            await fetched(address, SourceLimits(silence_seconds=0.3))


async def test_a_dripping_server_is_left() -> None:
    """It is never silent for long, and never done."""

    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"\n")
            await asyncio.sleep(0.02)

    async with serving(drip) as root:
        with pytest.raises(SourceUnavailable, match="in time"):
            await fetched(root, SourceLimits(seconds=1, silence_seconds=30))


async def test_a_feed_without_end_is_refused() -> None:
    """At the limit of bytes."""

    async def pour(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(bytes(65536))

    async with serving(pour) as root:
        with pytest.raises(SourceRefused, match="more than 3 MiB"):
            await fetched(root, SourceLimits(max_bytes=3 * 1024 * 1024))


@pytest.mark.parametrize("encoding", ["", "gzip"])
async def test_a_feed_that_grows_when_uncompressed_is_refused(encoding: str) -> None:
    """The limit is for what comes out, in pieces that never are large."""
    body = gzip.compress(bytes(64 * 1024 * 1024))
    limits = SourceLimits(max_bytes=3 * 1024 * 1024)
    largest = 0
    async with serving(answering(body, encoding=encoding)) as root:
        with pytest.raises(SourceRefused, match="more than 3 MiB"):  # noqa: PT012 - it comes while reading
            async with open_feed(root, limits, private_hosts=ALLOWED) as source:
                async for chunk in source.chunks:
                    largest = max(largest, len(chunk))
    assert 0 < largest <= 256 * 1024
