"""Previews over HTTP: cached ones compared with a bare handler and thumbor, new ones with the bare engine."""

import asyncio
import hashlib
import io
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import aiohttp

from bench.load import Load, generate_load, p99
from bench.peers.http_servers import Server, running, thumbor
from bench.peers.packages import MissingError
from bench.photographs import photograph
from bench.stack import roles, running_stack
from imageconverter.engine.pipeline import convert
from imageconverter.previews import parse, to_target
from services.stack.ports import free_ports

FORMAT = "auto:200x150~contain@75"
ROUNDS = 3
SECONDS = 4
CONNECTIONS = 16
NEW_SOURCES = 24
CONCURRENT_KEYS = 200
_PEERS = Path(__file__).parent / "peers"


def main() -> None:
    """Measure and print."""
    cores = sorted(os.sched_getaffinity(0))
    print(f"\n== previews: {FORMAT}, {CONNECTIONS} connections, servers on one core, the client on another")
    source = photograph(1633, 1225, 0)
    settings = {"IMAGECONVERTER_PREVIEW_INSTANT_QUEUE": str(CONCURRENT_KEYS)}
    with running_stack(**settings) as (port, supervisor), tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        key = hashlib.sha256(source).hexdigest()
        preview = asyncio.run(_cache_and_get(port, key, source))
        (folder / "preview.jpg").write_bytes(preview)
        source_file = folder / "photo.jpg"
        source_file.write_bytes(source)
        gateway = roles(supervisor)["gateway"]
        os.sched_setaffinity(gateway, {cores[0]})
        contestants = {"gateway": Server(port, f"/imageconverter/getImage/{key}/{FORMAT}")}
        contestants["bare handler"] = stack.enter_context(_bare(folder, cores[0]))
        try:
            contestants["thumbor"] = stack.enter_context(
                thumbor([source_file], folder, is_cached=True, core=cores[0])
            )
        except MissingError as error:
            print(f"thumbor is skipped: {error}")
        os.sched_setaffinity(0, {cores[-1]})
        _report_cached(contestants)
        os.sched_setaffinity(0, set(cores))
        os.sched_setaffinity(gateway, set(cores))
        _report_new(port, cores)


def _report_cached(contestants: dict[str, Server]) -> None:
    rounds: dict[str, list[Load]] = {name: [] for name in contestants}
    for _ in range(ROUNDS):
        for name, (port, path) in contestants.items():
            rounds[name].append(asyncio.run(generate_load(port, path, seconds=SECONDS, connections=CONNECTIONS)))
    for name, loads in rounds.items():
        rate, p99 = statistics.median(each.rate for each in loads), statistics.median(each.p99 for each in loads)
        line = f"{name}: {rate:.0f} requests per second, p99 {1000 * p99:.1f} ms"
        if name != "gateway":
            ratio = statistics.median(
                own.rate / other.rate for own, other in zip(rounds["gateway"], loads, strict=True)
            )
            target = 0.6 if name == "bare handler" else 3
            line += f"; the gateway {ratio:.2f} times as many (target {target})"
        print(line)


def _report_new(port: int, cores: list[int]) -> None:
    sources = [photograph(1633, 1225, seed) for seed in range(1, NEW_SOURCES + 1)]
    engine, whole = asyncio.run(_one_by_one(port, sources))
    bare, end_to_end = statistics.median(engine) * 1000, statistics.median(whole) * 1000
    print(f"new 2 MP JPEG end to end: p50 {end_to_end:.0f} ms, bare engine {bare:.0f} ms (target {bare + 10:.0f} ms)")
    began = time.perf_counter()
    latencies = asyncio.run(_many(port, sources))
    print(
        f"{CONCURRENT_KEYS} concurrent keys on {len(cores)} cores: {len(latencies)} responses with an image, "
        f"{CONCURRENT_KEYS - len(latencies)} without, in {time.perf_counter() - began:.1f} s; "
        f"p50 {statistics.median(latencies):.2f} s, p99 {p99(latencies):.2f} s"
    )


async def _one_by_one(port: int, sources: list[bytes]) -> tuple[list[float], list[float]]:
    """Return the times of the bare engine and of requests on one connection, alternating."""
    engine, whole = [], []
    async with aiohttp.ClientSession() as session:
        for source in sources:
            began = time.perf_counter()
            convert(io.BytesIO(source), [to_target(parse(FORMAT))])
            engine.append(time.perf_counter() - began)
            began = time.perf_counter()
            await _request(session, port, hashlib.sha256(source).hexdigest(), source)
            whole.append(time.perf_counter() - began)
    return engine, whole


async def _many(port: int, sources: list[bytes]) -> list[float]:
    """Request distinct keys concurrently; an appended byte makes each source different. Returns the latencies."""

    async def request(number: int) -> float:
        source = sources[number % len(sources)] + bytes([number])
        began = time.perf_counter()
        await _cache_and_get(port, hashlib.sha256(source).hexdigest(), source)
        return time.perf_counter() - began

    responses = await asyncio.gather(*(request(number) for number in range(CONCURRENT_KEYS)), return_exceptions=True)
    return [response for response in responses if isinstance(response, float)]


async def _cache_and_get(port: int, key: str, source: bytes) -> bytes:
    async with aiohttp.ClientSession() as session:
        return await _request(session, port, key, source)


async def _request(session: aiohttp.ClientSession, port: int, key: str, source: bytes) -> bytes:
    form = aiohttp.FormData()
    form.add_field("sourceImage", source, filename="photo.jpg", content_type="image/jpeg")
    url = f"http://127.0.0.1:{port}/imageconverter/cacheAndGetImage/{key}/{FORMAT}?context=1"
    async with session.post(url, data=form) as response:
        response.raise_for_status()
        return await response.read()


@contextmanager
def _bare(folder: Path, core: int) -> Iterator[Server]:
    (port,) = free_ports(1)
    command = [sys.executable, str(_PEERS / "bare.py"), str(port), str(folder / "preview.jpg"), "image/jpeg"]
    with running(command, port, "/", folder, core):
        yield Server(port, "/preview")
