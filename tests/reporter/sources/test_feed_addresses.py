"""Which addresses feeds are fetched from, and who gets the credentials."""

import socket
from ipaddress import ip_address, ip_network

import pytest
from aiohttp import web

from imageconverter.errors import SourceRefused, SourceUnavailable
from services.reporter.sources import SourceLimits
from services.reporter.sources.feed import open_feed
from services.reporter.sources.public_resolver import is_public
from tests.testing.feeds import ALLOWED, CSV, NDJSON, Names, answering, fetched, serving


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


# What the special-purpose registries of IANA for IPv4 and IPv6 call not globally reachable or deprecated, multicast,
# and what is not allocated.
NOT_PUBLIC = {
    "0.0.0.0/8": "this network",
    "10.0.0.0/8": "private use",
    "100.64.0.0/10": "shared address space",
    "127.0.0.0/8": "loopback",
    "169.254.0.0/16": "link local",
    "172.16.0.0/12": "private use",
    "192.0.0.0/24": "IETF protocols",
    "192.0.2.0/24": "documentation",
    "192.88.99.0/24": "relays into 6to4, deprecated",
    "192.168.0.0/16": "private use",
    "198.18.0.0/15": "benchmarking",
    "198.51.100.0/24": "documentation",
    "203.0.113.0/24": "documentation",
    "224.0.0.0/4": "multicast",
    "240.0.0.0/4": "reserved, with the limited broadcast",
    "::/96": "unspecified, loopback, IPv4-compatible",
    "::ffff:0:0:0/96": "IPv4-translated (SIIT, RFC 7915)",
    "64:ff9b:1::/48": "NAT64 of a local network (RFC 8215)",
    "100::/64": "discard only",
    "100:0:0:1::/64": "dummy prefix (RFC 9780)",
    "2001::/32": "Teredo",
    "2001:2::/48": "benchmarking",
    "2001:10::/28": "ORCHID, deprecated",
    "2001:db8::/32": "documentation",
    "3fff::/20": "documentation",
    "4000::/2": "not allocated",
    "5f00::/16": "segment routing",
    "fc00::/7": "unique local",
    "fe80::/10": "link local",
    "fec0::/10": "site local, deprecated",
    "ff00::/8": "multicast",
}


@pytest.mark.parametrize("block", NOT_PUBLIC)
def test_special_purpose_addresses_are_not_public(block: str) -> None:
    """Neither the first, the last nor those between, in every Python that we run on."""
    network = ip_network(block)
    step = max(1, network.num_addresses // 64)
    found = [network[-1], *(network[index] for index in range(0, network.num_addresses, step))]

    assert [str(each) for each in found if is_public(each)] == []


@pytest.mark.parametrize("addresses", [["10.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["2606:4700::1111", "::1"]])
async def test_a_name_for_an_address_of_our_own_network_is_refused(addresses: list[str]) -> None:
    """Even where it is one among public ones."""
    with pytest.raises(SourceRefused, match=r"shop\.example"):
        await fetched("http://shop.example/feed", resolver=Names({"shop.example": [addresses]}))


async def test_a_name_is_looked_up_for_the_connection_alone() -> None:
    """A second look-up after the check could return another address."""
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


async def test_credentials_are_sent_to_their_own_server_only() -> None:
    """Not to one that it redirects to; cookies are sent to none."""
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


async def test_the_reason_of_an_error_contains_no_password_or_token() -> None:
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
