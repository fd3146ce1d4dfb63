"""G17: workers and gateways are hosts of their own, whose network is cut or bad."""

import asyncio
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import aiohttp
import pytest
from arq.constants import retry_key_prefix

from imageconverter.jobs import QueueName, lease_key
from imageconverter.jobs.lease_token import local_host
from imageconverter.jobs.leases import LEASE_SECONDS
from imageconverter.resources import Resources
from tests.testing.hosts import Host, Network, switched_network, why_not
from tests.testing.measurements import Figures, spread
from tests.testing.processes import Part, Stack, own_servers, stack_on
from tests.testing.queue_workers import QueueWorkers
from tests.testing.workload import Client, Workload, upload_body

PORT = 8005
FAULTS = {LOSS := "5 % loss", LIMIT := "2 Mbit/s", DELAY := "100 ms delay in each direction"}
# A role waits for servers that are slow to reach when it starts.
WAITING = {"IMAGECONVERTER_START_SECONDS": "60"}


class Machines(NamedTuple):
    """A network, and the environment of those who use its servers."""

    network: Network
    servers: Mapping[str, str]


@pytest.fixture(scope="module")
async def machines(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Machines]:
    """Redis and an S3 server in a network without hosts."""
    if reason := why_not():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("machines")
    with switched_network() as network:
        async with own_servers(folder, inside=network.servers.inside) as (servers, _):
            reached = {name: value.replace("127.0.0.1", network.address) for name, value in servers.items()}
            yield Machines(network, reached)


def add_worker(stack: Stack, host: Host, **environment: str) -> Part:
    """Add a worker that runs on *host*, without starting it."""
    part = host.take(stack.role("worker", **WAITING, **environment))
    stack.workers.append(part)
    return part


async def until_busy(resources: Resources, worker: Part) -> None:
    """Wait until *worker* has claimed a job."""
    async with asyncio.timeout(60):
        while True:
            leases = [key async for key in resources.redis.scan_iter(match=lease_key("*"), count=1000)]
            tokens = [token.decode() for token in await resources.redis.mget(leases) if token] if leases else []
            if any(token.startswith(f"{local_host()}{worker.process.pid}/") for token in tokens):
                return
            await asyncio.sleep(0.01)


@pytest.mark.timeout(600)
async def test_jobs_of_a_worker_that_is_cut_off_are_soon_elsewhere(
    machines: Machines, tmp_path: Path, chance: random.Random, figures: Figures
) -> None:
    """Each time at another moment of the leases. After healing, the worker ends its jobs and begins others."""
    rounds, jobs = (20 if figures.long else 1), 3
    waited: list[float] = []
    with machines.network.hosts("worker-1", "worker-2") as (here, elsewhere):
        async with stack_on(machines.servers, tmp_path, gateways=0, workers=0) as (stack, resources):
            workers = QueueWorkers(stack, resources)
            other = elsewhere.take(workers.worker(slots=jobs))
            await other.start()
            (first,) = await workers.enqueue("pass")
            await workers.beginnings(first, count=1)  # it is running
            await here.take(workers.worker(slots=jobs)).start()
            for _ in range(rounds):
                other.send(signal.SIGSTOP)
                ids = await workers.enqueue("stay", jobs)
                for job_id in ids:
                    await workers.beginnings(job_id, count=1)
                other.send(signal.SIGCONT)
                await asyncio.sleep(chance.uniform(0, 1))
                began = time.monotonic()
                here.cut_off()
                waited += [(await workers.beginnings(job_id, count=2))[1] - began for job_id in ids]
                here.heal()
                async with asyncio.timeout(30):
                    while await resources.queue.depth(QueueName.SCAN):
                        await asyncio.sleep(0.02)

    figures.note("G17 a worker is cut off until its jobs are begun again", spread(waited))


@pytest.mark.timeout(1200)
async def test_nothing_is_visible_twice_after_a_worker_was_cut_off(
    machines: Machines, tmp_path: Path, chance: random.Random, figures: Figures
) -> None:
    """Longer than its leases last, while it converts for a run and for clients; it converts again after healing."""
    times, count = (20, 4000) if figures.long else (1, 100)
    with machines.network.hosts("worker-1", "worker-2") as hosts:
        async with (
            stack_on(machines.servers, tmp_path, gateways=1, workers=0) as (stack, resources),
            aiohttp.ClientSession() as session,
        ):
            workers = [(host, add_worker(stack, host)) for host in hosts]
            client = Client(stack.addresses, session, chance)
            workload = Workload(resources, client)
            for _ in range(times):
                await asyncio.gather(*(worker.start() for _, worker in workers))
                await client.wait_until_ready()
                await workload.start_run(await workload.put_sources(count // times, broken=2), count // times, 2)
                converting = asyncio.create_task(convert_until_finished(workload))
                chance.shuffle(workers)
                (host, worker), (_, other) = workers
                await until_busy(resources, worker)
                host.cut_off()
                await asyncio.sleep(LEASE_SECONDS + chance.uniform(0.5, 2))
                host.heal()
                await workload.finished()
                await converting
                await workload.check_last_run()
                # Only the one that was cut off is left to convert; what it does late, it has done when it ends.
                await other.terminate()
                await workload.convert()
                await worker.terminate()
            await forget_late_attempts(resources)
            summary = await workload.check()

    assert not stack.internal_errors, stack.internal_errors[:3]
    figures.note("G17 a worker is cut off and healed", f"{times} times: {summary}")


async def forget_late_attempts(resources: Resources) -> None:
    """Delete attempts that were counted too late; they would expire.

    Packets of a connection that its worker has closed may arrive after healing. Of what it sends for a job, only
    the count of attempts does not depend on its lease.
    """
    async for key in resources.redis.scan_iter(match=f"{retry_key_prefix}*", count=1000):
        assert await resources.redis.ttl(key) > 0
        await resources.redis.delete(key)


async def convert_until_finished(workload: Workload) -> None:
    """Convert images, one after the other, while a run is running."""
    while (await workload.client.insist("GET", "/images/convert/status"))["running"]:
        await workload.convert()


@pytest.mark.timeout(300)
async def test_gateway_that_is_cut_off_says_so_and_comes_back(
    machines: Machines, tmp_path: Path, chance: random.Random, figures: Figures
) -> None:
    """It answers 503 and is not ready; another gateway goes on, and nothing of what it refused is made."""
    with machines.network.hosts("gateway-1", "gateway-2", "worker-1") as (*hosts, worker):
        async with (
            stack_on(machines.servers, tmp_path, gateways=0, workers=0) as (stack, resources),
            aiohttp.ClientSession() as session,
        ):
            for host in hosts:
                settings = {"IMAGECONVERTER_HOST": host.address, "IMAGECONVERTER_PORT": str(PORT)}
                stack.gateways.append(host.take(stack.role("gateway", **WAITING, **settings)))
                stack.addresses.append(f"http://{host.address}:{PORT}")
            add_worker(stack, worker)
            await stack.start()
            client = Client(stack.addresses, session, chance)
            workload = Workload(resources, client)
            await client.wait_until_ready()
            lonely, other = (Client([address], session, chance) for address in stack.addresses)
            hosts[0].cut_off()
            began = time.monotonic()
            refused = await asyncio.gather(
                lonely.ask("POST", "/images/upload/convert", upload_body("refused.jpg")),
                lonely.ask("GET", "/images/convert/status"),
                lonely.ask("GET", "/images/sources"),
            )
            until_refused = time.monotonic() - began
            status, readiness = await lonely.ask("GET", "/health/ready")
            assert (await other.ask("GET", "/health/ready"))[0] == 200
            await asyncio.gather(*(workload.convert() for _ in range(3)))  # at whichever gateway serves them
            hosts[0].heal()
            began = time.monotonic()
            await lonely.wait_until_ready()
            until_ready = time.monotonic() - began
            workload.client = lonely
            await workload.convert()
            await workload.start_run(await workload.put_sources(5), 5)
            await workload.finished()
            summary = await workload.check()

    assert [status for status, _ in refused] == [503] * len(refused), refused
    assert (status, readiness["redis"], readiness["store"]) == (503, "down", "down")
    figures.note(
        "G17 a gateway is cut off",
        f"503 after {until_refused:.1f} s, ready {until_ready:.1f} s after healing: {summary}",
    )


@pytest.mark.timeout(1200)
async def test_worker_with_a_bad_network_loses_nothing(
    machines: Machines, tmp_path: Path, chance: random.Random, figures: Figures
) -> None:
    """Runs end and clients get their images, with each fault alone in the long mode, else with all at once."""
    count = 200 if figures.long else 8
    for faults in [{each} for each in FAULTS] if figures.long else [FAULTS]:
        with machines.network.hosts("worker-1", "forwarder") as (host, between):
            async with (
                stack_on(machines.servers, tmp_path, gateways=1, workers=0) as (stack, resources),
                aiohttp.ClientSession() as session,
            ):
                servers = await start_forwarder(stack, between, machines, seconds=0.1 * (DELAY in faults))
                await add_worker(stack, host, **servers).start()
                client = Client(stack.addresses, session, chance)
                workload = Workload(resources, client)
                await client.wait_until_ready()
                if LOSS in faults:
                    between.lose(0.05)
                if LIMIT in faults:
                    host.limit("2mbit")
                directory = await workload.put_sources(count, broken=2)
                began = time.monotonic()
                await workload.start_run(directory, count, 2)
                await asyncio.gather(*(workload.convert() for _ in range(3)))
                await workload.finished(seconds=600)
                took = time.monotonic() - began
                summary = await workload.check()
        assert not stack.internal_errors, stack.internal_errors[:3]
        names = ", ".join(sorted(faults))
        figures.note(f"G17 a worker with {names}", f"a run of {count} sources took {took:.0f} s: {summary}")


async def start_forwarder(stack: Stack, host: Host, machines: Machines, *, seconds: float) -> dict[str, str]:
    """Let *host* forward to the servers, with a delay of *seconds* in each direction.

    Returns the environment of those who reach the servers through it.
    """
    network, servers = machines
    ports = [urlsplit(servers[f"IMAGECONVERTER_{name}"]).port for name in ("REDIS_URL", "S3_ENDPOINT")]
    program = [sys.executable, "-m", "tests.testing.slow_forwarder", host.address, network.address]
    stack.servers["forwarder"] = host.take(stack.program([*program, str(seconds), *map(str, ports)], "forwarder"))
    await stack.servers["forwarder"].start()
    return {name: value.replace(network.address, host.address) for name, value in servers.items()}
