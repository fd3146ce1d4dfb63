"""Previews of 2 MP photographs over HTTP: new ones and cached ones, by several concurrencies.

Our own are those of the ImageConverter API, to which the sources are uploaded, and those of signed URLs, whose
sources are in the store.
"""

import asyncio
import itertools
import os
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Final, NamedTuple

from bench.load import Load, generate_requests
from bench.peers import http_servers, packages
from bench.peers.corpus import corpus
from bench.peers.http_servers import HEIGHT, QUALITY, WIDTH, Server
from bench.servers import KEY
from bench.stack import running_stack
from services.client import AsyncClient
from services.client.signed_urls import signed_path

CONCURRENCIES: Final = (1, 4, 16)
FORMAT: Final = f"auto:{WIDTH}x{HEIGHT}~contain@{QUALITY}"
_OWN: Final = "imageconverter, previews"
_OWN_SIGNED: Final = "imageconverter, signed URLs"
_SIGNING_KEY: Final = "0b" * 32
_BOUNDARY: Final = "boundary-of-the-form"


class Served(NamedTuple):
    """What a server has done in rounds at one concurrency."""

    name: str
    concurrency: int
    loads: list[Load]

    @property
    def rate(self) -> float:
        """Requests per second, the median."""
        return statistics.median(load.rate for load in self.loads)

    @property
    def p99(self) -> float:
        """The 99th percentile of the latencies in seconds, the median."""
        return statistics.median(load.p99 for load in self.loads)


class _Contestant(NamedTuple):
    port: int
    request: Callable[[], bytes]


def measure(*, seconds: float, rounds: int) -> tuple[dict[str, list[Served]], dict[str, str]]:
    """Return the results of new and of cached previews, and why servers are missing, by name."""
    cores = sorted(os.sched_getaffinity(0))
    sources = corpus("2 MP")
    missing: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        contestants = _started(stack, sources, Path(name), cores[0], missing)
        os.sched_setaffinity(0, {cores[-1]})
        try:
            results = {
                question: _measure(servers, seconds=seconds, rounds=rounds)
                for question, servers in contestants.items()
            }
        finally:
            os.sched_setaffinity(0, cores)
    return results, missing


def _started(
    stack: ExitStack, sources: Sequence[Path], folder: Path, core: int, missing: dict[str, str]
) -> dict[str, dict[str, _Contestant]]:
    """Start all servers on *core*; puts the reasons of those that cannot be had into *missing*."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        settings = {"IMAGECONVERTER_PREVIEW_INSTANT_QUEUE": "200", "IMAGECONVERTER_SIGNED_URL_KEYS": _SIGNING_KEY}
        port, _ = stack.enter_context(running_stack(**settings))
    finally:
        os.sched_setaffinity(0, cores)
    kept = Server(port, f"/imageconverter/getImage/kept{{}}/{FORMAT}")
    asyncio.run(_keep(port, sources))
    new = {
        _OWN: _Contestant(port, uploads(port, [source.read_bytes() for source in sources])),
        _OWN_SIGNED: _Contestant(port, signed(port, len(sources), are_new=True)),
    }
    cached = {
        _OWN: _Contestant(port, kept.requests(len(sources))),
        _OWN_SIGNED: _Contestant(port, signed(port, len(sources), are_new=False)),
    }
    peers: list[tuple[str, dict[str, _Contestant], Callable[[Path], AbstractContextManager[Server]]]] = [
        ("thumbor", new, lambda at: http_servers.thumbor(sources, at, is_cached=False, core=core)),
        ("ipx", new, lambda at: http_servers.ipx(sources, at, core=core)),
        ("nginx image_filter", new, lambda at: http_servers.nginx(sources, at, is_cached=False, core=core)),
        ("thumbor, result storage", cached, lambda at: http_servers.thumbor(sources, at, is_cached=True, core=core)),
        ("nginx, proxy_cache", cached, lambda at: http_servers.nginx(sources, at, is_cached=True, core=core)),
    ]
    for number, (name, servers, start) in enumerate(peers):
        try:
            server = stack.enter_context(start(folder / str(number)))
        except (packages.MissingError, OSError) as error:
            missing[name] = str(error)
        else:
            servers[name] = _Contestant(server.port, server.requests(len(sources)))
    return {"new": new, "cached": cached}


def _measure(contestants: dict[str, _Contestant], *, seconds: float, rounds: int) -> list[Served]:
    served = [Served(name, each, []) for each in CONCURRENCIES for name in contestants]
    for number, (name, concurrency, loads) in itertools.product(range(rounds + 1), served):
        contestant = contestants[name]
        load = asyncio.run(
            generate_requests(contestant.port, contestant.request, seconds=seconds, connections=concurrency)
        )
        if number:  # the first round warms up
            loads.append(load)
    return served


def uploads(port: int, contents: Sequence[bytes]) -> Callable[[], bytes]:
    """Return what makes requests that upload a source under a key not used before."""

    def make() -> Iterator[bytes]:
        for number in itertools.count():
            yield _upload(port, f"new{number}", contents[number % len(contents)])

    made = make()
    return lambda: next(made)


def signed(port: int, count: int, *, are_new: bool) -> Callable[[], bytes]:
    """Return what makes requests by signed URLs for another of *count* sources each time.

    New ones differ in the background, which a photograph does not show.
    """

    def make() -> Iterator[bytes]:
        for number in itertools.count():
            options = f"rs:fit:{WIDTH}:{HEIGHT}/q:{QUALITY}{f'/bg:{number:06x}' * are_new}"
            path = signed_path(_SIGNING_KEY, options, _source(number % count))
            yield f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()

    made = make()
    return lambda: next(made)


def _source(number: int) -> str:
    return f"bench/{number}.jpg"


def _upload(port: int, key: str, source: bytes) -> bytes:
    body = (
        (
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="sourceImage"; filename="photo.jpg"\r\n'
            "Content-Type: image/jpeg\r\n\r\n"
        ).encode()
        + source
        + f"\r\n--{_BOUNDARY}--\r\n".encode()
    )
    head = (
        f"POST /imageconverter/cacheAndGetImage/{key}/{FORMAT}?context=1 HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Content-Type: multipart/form-data; boundary={_BOUNDARY}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _keep(port: int, sources: Sequence[Path]) -> None:
    """Store each source, and have a preview of it made, so that it is cached."""
    async with AsyncClient(f"http://127.0.0.1:{port}", KEY) as client:
        for number, source in enumerate(sources):
            await client.sources.put(_source(number), source)
    for number, source in enumerate(sources):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(_upload(port, f"kept{number}", source.read_bytes()))
        status = await reader.readline()
        if b" 200 " not in status:
            raise RuntimeError(status.decode())
        writer.close()
