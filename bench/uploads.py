"""Uploads as JSON compared with forms and raw bodies: CPU and memory of the gateway, throughput of the stack."""

import asyncio
import base64
import io
import itertools
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp

from bench.photographs import photograph
from bench.servers import KEY
from bench.stack import FORMATS, roles, running_stack
from services.worker.sandbox.usage import cpu_seconds

SIZES = {"2 MP": (1633, 1225), "12 MP": (4000, 3000)}
ROUNDS, IMAGES = 5, 20
CONVERSIONS, CONCURRENCY = 24, 8
WARM_BYTES, LARGE_BYTES, AT_ONCE = 7_000_000, 40_000_000, 32
_IDS = [f"content.imageFormat.{name}" for name in FORMATS]


class Upload(NamedTuple):
    """A request: its query, body and media type."""

    query: str
    body: Callable[[], Any]
    media_type: str | None


def as_json(image: bytes) -> Upload:
    """Return an upload in base64."""
    text = base64.b64encode(image).decode()
    body = json.dumps({"fileName": "photo.jpg", "formats": _IDS, "imageData": text}).encode()
    return Upload("", lambda: io.BytesIO(body), "application/json")


def as_raw(image: bytes) -> Upload:
    """Return an upload of the bytes."""
    return Upload(
        f"?fileName=photo.jpg&formats={','.join(_IDS)}", lambda: io.BytesIO(image), "application/octet-stream"
    )


def as_form(image: bytes) -> Upload:
    """Return an upload of a form."""

    def body() -> aiohttp.FormData:
        form = aiohttp.FormData()
        form.add_field("file", io.BytesIO(image), filename="photo.jpg")
        form.add_field("formats", ",".join(_IDS))
        return form

    return Upload("", body, None)


WAYS: dict[str, Callable[[bytes], Upload]] = {"JSON": as_json, "raw": as_raw, "form": as_form}


def main() -> None:
    """Measure and print."""
    print(f"\n== uploads: {', '.join(WAYS)}; medians of {ROUNDS} rounds of {IMAGES} uploads")
    with running_stack() as (port, supervisor):
        asyncio.run(measure(f"http://127.0.0.1:{port}/images/upload", roles(supervisor)["gateway"]))
    for name in WAYS:  # each in a gateway of its own, because the memory that it has freed is used again
        with running_stack() as (port, supervisor):
            asyncio.run(measure_memory(f"http://127.0.0.1:{port}/images/upload", roles(supervisor)["gateway"], name))


async def measure(address: str, gateway: int) -> None:
    """Measure all sizes and ways, alternating."""
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {KEY}"}) as session:
        for label, size in SIZES.items():
            photographs = [photograph(*size, seed) for seed in range(4)]
            uploads = {name: [way(each) for each in photographs] for name, way in WAYS.items()}
            used: dict[str, list[float]] = {name: [] for name in WAYS}
            rates: dict[str, list[float]] = {name: [] for name in WAYS}
            for _, (name, group) in itertools.product(range(ROUNDS + 1), uploads.items()):
                used[name].append(await upload_some(session, address, group, gateway))
                rates[name].append(await convert_some(session, f"{address}/convert", group))
            costs = {name: statistics.median(values[1:]) for name, values in used.items()}
            for name in WAYS:
                ratio, rate = costs[name] / costs["JSON"], statistics.median(rates[name][1:])
                print(f"{label}, {name}: CPU of the gateway {costs[name] * 1000:.1f} ms, ratio {ratio:.2f}; ", end="")
                print(f"whole stack {rate:.1f} images/s")


async def upload_some(session: aiohttp.ClientSession, address: str, group: Sequence[Upload], gateway: int) -> float:
    """Stage IMAGES images, one after the other; returns the gateway's CPU seconds for each."""
    before = cpu_seconds(gateway)
    for number in range(IMAGES):
        await send(session, address, group[number % len(group)])
    return (cpu_seconds(gateway) - before) / IMAGES


async def convert_some(session: aiohttp.ClientSession, address: str, group: Sequence[Upload]) -> float:
    """Convert CONVERSIONS images, several at once; returns images per second."""
    numbers = iter(range(CONVERSIONS))

    async def client() -> None:
        for number in numbers:
            await send(session, address, group[number % len(group)])

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CONCURRENCY)))
    return CONVERSIONS / (time.perf_counter() - began)


async def measure_memory(address: str, gateway: int, name: str) -> None:
    """Print by how much AT_ONCE uploads of LARGE_BYTES at a time raise the memory of the gateway."""
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {KEY}"}) as session:
        small, large = (WAYS[name](photograph(320, 240, 1) + bytes(size)) for size in (WARM_BYTES, LARGE_BYTES))
        await send(session, address, small)  # loads what is imported by the first upload of several parts
        before = reset_peak(gateway)
        await asyncio.gather(*(send(session, address, large) for _ in range(AT_ONCE)))
        peak = resident(gateway, "VmHWM") - before
    print(f"{AT_ONCE} x {LARGE_BYTES // 1_000_000} MB at once, {name}: {peak / AT_ONCE:.1f} MiB for each")


def reset_peak(process: int) -> float:
    """Let VmHWM of a process begin anew; returns VmRSS, in MiB."""
    Path(f"/proc/{process}/clear_refs").write_text("5")
    return resident(process, "VmRSS")


def resident(process: int, field: str) -> float:
    """Return VmRSS or VmHWM of a process, in MiB."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1]) / 1024


async def send(session: aiohttp.ClientSession, address: str, upload: Upload) -> None:
    """Send *upload*, again if the server is busy."""
    headers = {"Content-Type": upload.media_type} if upload.media_type else {}
    body = upload.body()
    async with session.post(address + upload.query, data=body, headers=headers) as response:
        response.raise_for_status()
