"""Catalogs from a web server: real ones on loopback, of every bad behaviour."""

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from ipaddress import ip_address

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer

from imageconverter.catalog import read_entries
from imageconverter.errors import SourceRefused, SourceUnavailable
from services.reporter.sources import SourceLimits
from services.reporter.sources.feed import open_feed
from services.reporter.sources.public_resolver import is_public

NDJSON = b'{"id": "1", "active": true, "images": ["a.jpg"]}\n'
CSV = b"id,active,images\n1,true,a.jpg\n"
ALLOWED = ("127.0.0.1",)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Names(AbstractResolver):
    """Knows the addresses of some hosts; each look-up takes the next of a host's answers."""

    def __init__(self, answers: Mapping[str, list[list[str]]]) -> None:
        """Give the *answers* one after the other, the last again and again."""
        self._answers = answers
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Answer like a name server, with addresses of every *family*."""
        assert family == socket.AF_UNSPEC
        self.asked.append(host)
        left = self._answers[host]
        found = left.pop(0) if len(left) > 1 else left[0]
        kinds = {4: socket.AF_INET, 6: socket.AF_INET6}
        return [
            ResolveResult(
                hostname=host, host=each, port=port, family=kinds[ip_address(each).version], proto=0, flags=0
            )
            for each in found
        ]

    async def close(self) -> None:
        """Hold nothing."""


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """Serve *handler* on every path; the value is the address of the root, without a slash."""
    app = web.Application()
    app.router.add_get("/{path:.*}", handler)
    async with TestServer(app, host="127.0.0.1", shutdown_timeout=0) as server:
        yield str(server.make_url("/")).rstrip("/")


@asynccontextmanager
async def raw(answer: bytes, *, stay: bool = False) -> AsyncIterator[str]:
    """Send *answer*, whatever is asked, and hang up unless we *stay*."""
    leaving = asyncio.Event()

    async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        if stay:
            await leaving.wait()
        writer.close()

    async with await asyncio.start_server(send, "127.0.0.1") as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/feed"
        leaving.set()


def answering(
    body: bytes = NDJSON, status: int = 200, content_type: str = "application/octet-stream", encoding: str = ""
) -> Handler:
    """Make a handler that always answers the same."""
    headers = {"Content-Type": content_type, **({"Content-Encoding": encoding} if encoding else {})}

    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=body, status=status, headers=headers)

    return handler


async def fetched(
    address: str, limits: SourceLimits | None = None, resolver: AbstractResolver | None = None
) -> bytes:
    """Fetch all of a feed from an allowed host."""
    hosts = () if resolver else ALLOWED
    async with open_feed(address, limits or SourceLimits(), private_hosts=hosts, resolver=resolver) as source:
        return b"".join([chunk async for chunk in source.chunks])


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
    """A type that says nothing about it is passed over."""
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
async def test_a_server_in_trouble_may_be_tried_again(status: int) -> None:
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
        b"",
        b"nonsense\r\n\r\n",
        HEAD + b"Content-Length: many\r\n\r\n",
    ],
    ids=["short", "chunk", "encoding", "gzip", "nothing", "nonsense", "length"],
)
async def test_an_answer_that_breaks_off_may_be_tried_again(answer: bytes) -> None:
    """It is never taken for the whole."""
    async with raw(answer) as address:
        with pytest.raises(SourceUnavailable):
            await fetched(address)


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


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "127.1",
        "0",
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "192.0.0.192",
        "224.0.0.1",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:10.0.0.1]",
        "[64:ff9b::10.0.0.1]",
        "[2002:a00:1::]",
        "[fd00::1]",
        "[fe80::1]",
        "[ff02::1]",
        "127.0.0.1.",
        "127。0。0。1",
    ],
)
async def test_addresses_of_our_own_network_are_refused_in_every_spelling(host: str) -> None:
    """Nothing is sent there: the server would answer."""
    asked = []

    async def count(request: web.Request) -> web.Response:
        asked.append(request)
        return web.Response()

    async with serving(count) as root:
        port = root.rpartition(":")[2]
        with pytest.raises(SourceRefused):
            async with open_feed(f"http://{host}:{port}/feed", SourceLimits()):
                pass
    assert not asked


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::808:808", True),
        ("2002:808:808::1", True),
        ("::ffff:192.168.0.1", False),
        ("64:ff9b::c0a8:1", False),
        ("64:ff9b:1::808:808", False),
        ("2002:7f00:1::", False),
        ("2001:0:808:808::", False),
        ("::808:808", False),
        ("192.88.99.1", False),
        ("168.63.129.16", False),
        ("198.18.0.1", False),
        ("255.255.255.255", False),
        ("239.1.2.3", False),
        ("ff0e::1", False),
        ("fec0::1", False),
    ],
)
def test_public_is_what_anybody_on_the_internet_reaches(address: str, public: bool) -> None:  # noqa: FBT001 - a case
    """In every Python that we run on."""
    assert is_public(ip_address(address)) is public


@pytest.mark.parametrize("addresses", [["10.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["2606:4700::1111", "::1"]])
async def test_a_name_for_an_address_of_our_own_network_is_refused(addresses: list[str]) -> None:
    """Even where it is one among public ones."""
    with pytest.raises(SourceRefused, match=r"shop\.example"):
        await fetched("http://shop.example/feed", resolver=Names({"shop.example": [addresses]}))


async def test_a_name_is_looked_up_for_the_connection_alone() -> None:
    """A second look-up, after the check, would be free to tell something else."""
    async with serving(answering()) as root:
        port = root.rpartition(":")[2]
        names = Names({"shop.example": [["127.0.0.1"], ["10.0.0.1"]]})
        async with open_feed(
            f"http://shop.example:{port}/", SourceLimits(), private_hosts=["Shop.Example"], resolver=names
        ) as source:
            assert b"".join([chunk async for chunk in source.chunks]) == NDJSON
    assert names.asked == ["shop.example"]


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.2:{port}/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]:{port}/",
        "http://[::ffff:10.0.0.1]/",
        "http://inner.example:{port}/",
        "//127.0.0.2:{port}/",
        "file:///etc/passwd",
        "ftp://8.8.8.8/feed",
        "http://[broken/",
        "http://8.8.8.8:99999/",
    ],
)
async def test_a_redirect_into_our_own_network_is_refused(target: str) -> None:
    """It is checked like the first address."""
    hits = []

    async def redirect(request: web.Request) -> web.Response:
        hits.append(request.path)
        return web.Response(status=302, headers={"Location": target.format(port=request.url.port)})

    async with serving(redirect) as root:
        names = Names({"shop.example": [["127.0.0.1"]], "inner.example": [["127.0.0.1"]]})
        address = f"http://shop.example:{root.rpartition(':')[2]}/feed"
        with pytest.raises(SourceRefused):
            async with open_feed(address, SourceLimits(), private_hosts=["shop.example"], resolver=names):
                pass
    assert hits == ["/feed"]


async def test_five_redirects_are_followed_and_no_more() -> None:
    """With the notation of the last address."""

    async def count_down(request: web.Request) -> web.Response:
        left = int(request.path.strip("/").partition(".")[0])
        if not left:
            return web.Response(body=CSV)
        return web.Response(status=307, headers={"Location": f"{left - 1}.csv"})

    async with serving(count_down) as root:
        async with open_feed(root + "/5.ndjson", SourceLimits(), private_hosts=ALLOWED) as source:
            assert source.notation == "csv"
        with pytest.raises(SourceRefused, match="more than 5"):
            await fetched(root + "/6")


async def test_user_and_password_are_told_to_their_own_server_alone() -> None:
    """Not to one that it redirects to; a cookie is told to none."""
    seen = []

    async def handler(request: web.Request) -> web.Response:
        seen.append((request.path, request.headers.get("Authorization"), request.headers.get("Cookie")))
        headers = {"Set-Cookie": "session=secret"}
        if request.path == "/first":
            return web.Response(status=302, headers={**headers, "Location": "/second"})
        if request.path == "/second":
            location = f"http://other.example:{request.url.port}/third"
            return web.Response(status=302, headers={**headers, "Location": location})
        return web.Response(body=NDJSON)

    async with serving(handler) as root:
        port = root.rpartition(":")[2]
        names = Names({"shop.example": [["127.0.0.1"]], "other.example": [["127.0.0.1"]]})
        hosts = ["shop.example", "other.example"]
        async with open_feed(
            f"http://user:p%40ss@shop.example:{port}/first", SourceLimits(), private_hosts=hosts, resolver=names
        ) as source:
            assert [chunk async for chunk in source.chunks]
    basic = "Basic dXNlcjpwQHNz"
    assert seen == [("/first", basic, None), ("/second", basic, None), ("/third", None, None)]


async def test_what_is_told_of_an_error_has_no_password_or_token_in_it() -> None:
    """Neither the reason nor what led to it."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        with pytest.raises(SourceUnavailable) as error:
            await fetched(f"http://user:secret@127.0.0.1:{port}/feed?token=secret")
    assert "secret" not in error.value.reason + repr(error.value) + repr(error.value.__cause__)


async def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would look names up by itself, past the check."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with serving(answering()) as root:
        assert await fetched(root) == NDJSON
