"""Small files that take seconds: the latency of valid images beside them, sent by clients or converted in a run."""

import asyncio
import io
import json
import time
from base64 import b64encode
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import aiohttp

from bench.bombs import Responses, _body, _convert
from bench.photographs import photograph
from bench.servers import KEY
from bench.stack import running_stack
from tests.testing.slow_files import SLOW_FILES

VALID_CLIENTS = 50
COUNTS = (12, 100)
SECONDS = 10
FORMATS = ["content.imageFormat.thumbnailProduct"]
RUN_CLIENTS = 4
RUN_IMAGES = 40
_HEADERS = {"Authorization": f"Bearer {KEY}"}


def main() -> None:
    """Measure and print."""
    print(f"\n== slow_files: {VALID_CLIENTS} clients convert photographs of 2 MP beside slow files")
    files = {name: make() for name, make in SLOW_FILES.items()}
    with running_stack(IMAGECONVERTER_LOG_LEVEL="error") as (port, _):
        asyncio.run(_measure(port, files))


async def _measure(port: int, files: dict[str, bytes]) -> None:
    valid = [_body(photograph(1633, 1225, seed)) for seed in range(4)]
    await _convert(port, valid, VALID_CLIENTS, seconds=2)  # warm up
    for name, data in files.items():
        for count in COUNTS:
            alone = await _convert(port, valid, VALID_CLIENTS, seconds=SECONDS)
            sending = [asyncio.create_task(_send(port, data, number)) for number in range(count)]
            during = await _convert(port, valid, VALID_CLIENTS, seconds=SECONDS)
            _report(f"{count} x {name}", alone, during)
            for each in sending:
                each.cancel()
            statuses = await asyncio.gather(*sending, return_exceptions=True)
            done = sum(status == 200 for status in statuses)
            print(f"   of the slow ones, {done} were done meanwhile, the clients of the others have left")
            await asyncio.sleep(2)  # until the worker notices
    await _beside_a_run(port, list(files.values()), valid)


def _report(label: str, alone: Responses, during: Responses) -> None:
    print(
        f"{label}: p99 {alone.p99:.2f} s alone, {during.p99:.2f} s beside: ratio {during.p99 / alone.p99:.2f} "
        f"(target 2); rejected {during.rejected} of {len(during.latencies)}"
    )


async def _beside_a_run(port: int, files: Sequence[bytes], valid: Sequence[bytes]) -> None:
    """Measure a few interactive clients beside a run over slow files."""
    images = [_variant(files[number % len(files)], number) for number in range(RUN_IMAGES)]
    async with aiohttp.ClientSession(headers=_HEADERS) as session:
        directory: str | None = None
        for number, image in enumerate(images):
            query = "" if directory is None else f"?directory={directory}"
            staged = await _post(session, port, f"/images/upload{query}", _upload(image, f"{number}.img"))
            directory = staged["path"]
        run = {"source": "directory", "directory": directory, "formatList": FORMATS}
        await _post(session, port, "/images/convert/start", json.dumps(run).encode())
        beside = await _convert(port, valid, RUN_CLIENTS, seconds=2 * SECONDS)
        async with session.get(f"http://127.0.0.1:{port}/images/convert/status") as response:
            state = await response.json()
    print(
        f"beside a run over {RUN_IMAGES} slow files: p99 of {RUN_CLIENTS} clients {beside.p99:.2f} s (target 2); "
        f"rejected {beside.rejected} of {len(beside.latencies)}; the run: {json.dumps(state)[:200]}"
    )


async def _post(session: aiohttp.ClientSession, port: int, path: str, body: bytes) -> Any:
    async with session.post(f"http://127.0.0.1:{port}{path}", data=io.BytesIO(body)) as response:
        response.raise_for_status()
        return await response.json()


def _variant(data: bytes, number: int) -> bytes:
    """Return a file that differs from others of its kind, by bytes behind its end."""
    return data + f"\n# {number} {time.time_ns()}\n".encode()


def _upload(image: bytes, name: str) -> bytes:
    return json.dumps({"fileName": name, "formats": FORMATS, "imageData": b64encode(image).decode()}).encode()


async def _send(port: int, data: bytes, number: int) -> int:
    """Have a slow file converted; returns the status of the response."""
    body = _upload(_variant(data, number), f"{number}.img")
    with suppress(aiohttp.ClientError):
        async with aiohttp.ClientSession(headers=_HEADERS) as session:
            url = f"http://127.0.0.1:{port}/images/upload/convert"
            async with session.post(url, data=io.BytesIO(body)) as response:
                await response.read()
                return response.status
    return 0
