"""Long runs: growth of memory, latency of the status call and cost per source with the size of a run."""

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
from redis.asyncio import Redis

from bench import cpu
from bench.load import p99
from bench.servers import KEY, running_role, running_servers
from bench.simulated import directory_of
from imageconverter.errors import QueueUnavailable
from imageconverter.jobs import JobQueue, lease_key
from imageconverter.settings import MEGABYTE, PREFIX
from services.stack.ports import free_ports

SIZES = (10_000, 100_000)
LONG_SIZES = (10_000, 1_000_000)
SLOTS = 4
FORMATS = ("content.imageFormat.normalProduct",)
TO_CANCEL = 100_000
SLOW_IMAGE_SECONDS = 5.0
_IDLE_SECONDS = 10
_STATUS_INTERVAL_SECONDS = 0.02
_POLL_SECONDS = 0.25
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass
class Stack:
    """The measured servers and roles."""

    session: aiohttp.ClientSession
    redis: Redis
    pids: Mapping[str, int]
    """Process ids of worker, gateway and redis."""

    async def call(self, verb: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Call `images/convert/…`, with POST if there is a *body*; returns the response."""
        method = "GET" if body is None else "POST"
        async with self.session.request(method, f"/images/convert/{verb}", json=body) as response:
            response.raise_for_status()
            found: dict[str, Any] = await response.json()
            return found

    async def start(self, sources: int) -> None:
        """Start a run over a number of *sources*."""
        body = {"source": "directory", "directory": directory_of(sources), "formatList": list(FORMATS)}
        await self.call("start", {"action": "bench", **body})

    async def memory(self) -> dict[str, int]:
        """Return the bytes in use: `used_memory` of Redis and the resident sets of the roles."""
        info = await self.redis.info("memory")
        return {
            "redis": int(info["used_memory"]),
            **{name: _resident(self.pids[name]) for name in ("worker", "gateway")},
        }


@dataclass
class Observed:
    """Measurements during some work."""

    latencies: list[float] = field(default_factory=list)
    """The latency of each status call, in seconds."""
    peaks: dict[str, int] = field(default_factory=dict)
    """Maximum of the bytes in use, by process."""

    @property
    def p99(self) -> float:
        """The 99th percentile of the latencies, in seconds."""
        return p99(self.latencies)


class Measured(NamedTuple):
    """The measurements of one run."""

    sources: int
    seconds: float
    cpu: Mapping[str, float]
    """CPU seconds of worker, gateway and redis."""
    observed: Observed

    @property
    def cost(self) -> float:
        """CPU seconds of worker and Redis per source."""
        return (self.cpu["worker"] + self.cpu["redis"]) / self.sources


def main() -> None:
    """Measure runs of moderate sizes and print."""
    asyncio.run(_measure(SIZES))


def long() -> None:
    """Measure a small run and one of a million sources, and print."""
    asyncio.run(_measure(LONG_SIZES))


async def _measure(sizes: tuple[int, ...]) -> None:
    print(
        f"\n== runs: {SLOTS} slots, one pixel, one format, no engine, simulated S3, "
        f"status called {1 / _STATUS_INTERVAL_SECONDS:.0f} times per second"
    )
    async with running_servers(store=False) as environment:
        async with running_stack(environment, image_seconds=0) as stack:
            idle_memory = await stack.memory()
            idle = await observe(stack, asyncio.sleep(_IDLE_SECONDS))
            measured = []
            for sources in sizes:
                measured.append(await run(stack, sources))
                report(measured[-1], idle_memory)
            # Before and after the runs, because the machine is shared.
            idle.latencies += (await observe(stack, asyncio.sleep(_IDLE_SECONDS))).latencies
            print(
                f"status p99 when idle {idle.p99 * 1000:.1f} ms; "
                + ", ".join(
                    f"while {each.sources:,} sources run {each.observed.p99 * 1000:.1f} ms, "
                    f"ratio {each.observed.p99 / idle.p99:.1f}"
                    for each in measured
                )
                + " (target 2)"
            )
            small, large = measured[0], measured[-1]
            print(
                f"cost per source, {large.sources:,} relative to {small.sources:,}: "
                f"{large.cost / small.cost:.2f} in CPU, "
                f"{large.seconds / large.sources / (small.seconds / small.sources):.2f} in time (target 1.2)"
            )
            await cancel(stack, large.seconds / large.sources * TO_CANCEL, "no engine")
        async with running_stack(environment, image_seconds=SLOW_IMAGE_SECONDS) as stack:
            await cancel(stack, TO_CANCEL * SLOW_IMAGE_SECONDS / SLOTS, f"images of {SLOW_IMAGE_SECONDS:.0f} s")


@asynccontextmanager
async def running_stack(environment: Mapping[str, str], *, image_seconds: float) -> AsyncIterator[Stack]:
    """Run a worker and a gateway; yields when both are ready."""
    (port,) = free_ports(1)
    settings = {**environment, f"{PREFIX}PORT": str(port)}
    worker = ["bench.roles", "worker", "--slots", str(SLOTS), "--seconds", str(image_seconds)]
    async with (
        running_role(worker, settings) as worker_pid,
        running_role(["bench.roles", "gateway"], settings) as gateway_pid,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {KEY}"}) as session,
        Redis.from_url(environment[f"{PREFIX}REDIS_URL"]) as redis,
    ):
        await _ready(redis, {"worker": worker_pid, "gateway": gateway_pid})
        redis_pid = cpu.named(cpu.descendants(os.getpid()), "redis-server")
        yield Stack(session, redis, {"worker": worker_pid, "gateway": gateway_pid, "redis": redis_pid})


async def run(stack: Stack, sources: int) -> Measured:
    """Run over a number of *sources* and observe."""
    before = {name: cpu.seconds({pid}) for name, pid in stack.pids.items()}
    began = time.perf_counter()
    await stack.start(sources)
    observed = await observe(stack, _finished(stack))
    seconds = time.perf_counter() - began
    status = await stack.call("status")
    if status["counter"]["success"] != sources:
        raise RuntimeError(f"not all of the {sources} sources were converted: {status}")
    used = {name: cpu.seconds({pid}) - before[name] for name, pid in stack.pids.items()}
    return Measured(sources, seconds, used, observed)


async def cancel(stack: Stack, whole: float, label: str) -> None:
    """Cancel a run that has just started, and print the duration and that of the *whole* run, in seconds."""
    await stack.start(TO_CANCEL)
    await asyncio.sleep(2)
    before = await stack.call("status")
    began = time.perf_counter()
    after = await stack.call("cancel", {})
    seconds = time.perf_counter() - began
    leases = [key async for key in stack.redis.scan_iter(match=f"{lease_key('')}*")]
    await asyncio.sleep(1)
    later = await stack.call("status")
    done = before["progress"]["finished"]
    is_stopped = later["counter"] == after["counter"] and not leases and after["status"] == "canceled"
    print(
        f"cancel, {label}: {TO_CANCEL - done:,} of {TO_CANCEL:,} sources outstanding, response after {seconds:.2f} s "
        f"(target 3), jobs {'stopped' if is_stopped else 'STILL RUNNING'}; the run would have taken {whole:,.0f} s"
    )


async def observe(stack: Stack, work: Coroutine[Any, Any, None]) -> Observed:
    """Request the status and measure the memory repeatedly while *work* runs."""
    observed = Observed()
    working = asyncio.create_task(work)

    async def measure_memory() -> None:
        while not working.done():
            memory = await stack.memory()
            observed.peaks = {name: max(size, observed.peaks.get(name, 0)) for name, size in memory.items()}
            await asyncio.sleep(_POLL_SECONDS)

    measuring = asyncio.create_task(measure_memory())
    while not working.done():
        began = time.perf_counter()
        await stack.call("status")
        observed.latencies.append(time.perf_counter() - began)
        await asyncio.sleep(_STATUS_INTERVAL_SECONDS)
    await measuring
    await working
    return observed


def report(measured: Measured, idle_memory: Mapping[str, int]) -> None:
    """Print the measurements of a run."""
    peaks, used = measured.observed.peaks, measured.cpu
    growth = {name: (peaks[name] - size) / MEGABYTE for name, size in idle_memory.items()}
    print(
        f"{measured.sources:,} sources: {measured.sources / measured.seconds:.0f} per second; CPU per source: "
        + ", ".join(f"{name} {seconds / measured.sources * 1000:.2f} ms" for name, seconds in used.items())
    )
    print(
        f"{measured.sources:,} sources: growth of Redis {growth['redis']:.1f} MB (target 64), "
        f"of the worker, which plans, {growth['worker']:.1f} MB (target 32), "
        f"of the gateway {growth['gateway']:.1f} MB (target 32)"
    )


async def _finished(stack: Stack) -> None:
    while (await stack.call("status"))["running"]:  # noqa: ASYNC110 - another process changes it
        await asyncio.sleep(_POLL_SECONDS)


async def _ready(redis: Redis, pids: Mapping[str, int]) -> None:
    """Wait for the heartbeats of the roles."""
    queue = JobQueue(redis, timeout_seconds=2, retry_timeout=20)
    async with asyncio.timeout(30):
        for role, pid in pids.items():
            while f"{socket.gethostname()}:{pid}" not in await _alive(queue, role):  # noqa: ASYNC110 - another process changes it
                await asyncio.sleep(0.1)


async def _alive(queue: JobQueue, role: str) -> dict[str, str]:
    try:
        return await queue.live_processes(role)
    except QueueUnavailable:
        return {}


def _resident(pid: int) -> int:
    """Return the resident memory of a process, in bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES
