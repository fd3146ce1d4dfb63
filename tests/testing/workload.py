"""Clients that retry until they succeed, and a check of the final state against their responses."""

import asyncio
import base64
import contextlib
import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import aiohttp

from imageconverter import keys
from imageconverter.errors import StoreUnavailable
from imageconverter.jobs import QueueName
from imageconverter.resources import Resources
from tests.conftest import ADMIN
from tests.testing import broken_files, image_files

APP, THUMBNAIL = "content.imageFormat.app", "content.imageFormat.thumbnailProduct"
LARGE, PRODUCT = "content.imageFormat.largeProduct", "content.imageFormat.normalProduct"
# Runs and requests write to separate directories, so that each output has one cause.
RUN_OUTPUTS = {APP: "app", LARGE: "products/large"}
REQUEST_OUTPUTS = {THUMBNAIL: "products/thumbnail"}
_ANSWER_SECONDS = 45
_PAUSE_SECONDS = 0.1


def upload_body(name: str) -> dict[str, Any]:
    """Return the body of an upload of one photograph called *name*."""
    data = base64.b64encode(image_files.jpeg(size=(300, 200))).decode()
    return {"fileName": name, "imageData": data, "formats": list(REQUEST_OUTPUTS)}


@dataclass
class Client:
    """A client of all gateways of a stack, which it tries one after the other."""

    addresses: Sequence[str]
    session: aiohttp.ClientSession
    chance: random.Random
    refused: Counter[int] = field(default_factory=Counter)

    async def insist(self, method: str, path: str, body: Any = None, *, key: str = "", seconds: float = 120) -> Any:
        """Retry until the response is a 200, and return its body; with an idempotency *key* if it is not empty."""
        headers = {"Idempotency-Key": key} if key else {}
        async with asyncio.timeout(seconds):
            while True:
                status, response = await self.ask(method, path, body, **headers)
                if status == 200:
                    return response
                assert status in ((0, 503, 409) if key else (0, 503)), (status, response)
                await asyncio.sleep(_PAUSE_SECONDS)

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Send a request to one of the gateways; returns status and body, (0, None) without a response."""
        data = None if body is None else json.dumps(body).encode()
        url = self.chance.choice(self.addresses) + path
        timeout, sent = aiohttp.ClientTimeout(total=_ANSWER_SECONDS), {**ADMIN, **headers}
        try:
            async with self.session.request(method, url, data=data, headers=sent, timeout=timeout) as response:
                found = response.status, await response.json()
        except (aiohttp.ClientError, TimeoutError, ValueError):
            found = 0, None
        self.refused[found[0]] += found[0] != 200
        return found

    async def wait_until_ready(self) -> None:
        """Wait until every gateway, Redis, the store and a worker are ready."""
        async with asyncio.timeout(60):
            for address in self.addresses:
                while (await Client([address], self.session, self.chance).ask("GET", "/health/ready"))[0] != 200:
                    await asyncio.sleep(0.05)


@dataclass
class Workload:
    """All requests that were acknowledged."""

    resources: Resources
    client: Client
    converted: set[str] = field(default_factory=set)
    """Outputs whose conversion was answered with 200."""
    expected: set[str] = field(default_factory=set)
    """Outputs of runs whose start was answered with 200."""
    runs: list[tuple[str, int, int]] = field(default_factory=list)
    """Action, sources and, of these, broken ones of each run."""

    async def put_sources(self, count: int, broken: int = 0) -> str:
        """Store *count* sources in a new directory, the first *broken* of them broken; returns the directory."""
        directory = f"chaos-{uuid4().hex[:12]}"
        good, bad = image_files.jpeg(size=(500, 400)), broken_files.truncated(image_files.png())
        sources = {f"{directory}-{n:05}.{'png' if n < broken else 'jpg'}": n < broken for n in range(count)}
        for begin in range(0, count, 100):
            names = list(sources)[begin : begin + 100]
            await asyncio.gather(
                *(self._put(keys.source(f"{directory}/{name}"), bad if sources[name] else good) for name in names)
            )
        return directory

    async def _put(self, key: str, data: bytes) -> None:
        """Store a source, with retries."""
        async with asyncio.timeout(60):
            while True:
                with contextlib.suppress(StoreUnavailable):
                    await self.resources.store.put(key, data, content_type="image/jpeg")
                    return
                await asyncio.sleep(_PAUSE_SECONDS)

    async def start_run(self, directory: str, count: int, broken: int = 0) -> None:
        """Start one run over *directory*, with retries."""
        action = uuid4().hex
        body = {"action": action, "source": "directory", "directory": directory, "formatList": list(RUN_OUTPUTS)}
        async with asyncio.timeout(120):
            while not await self.started(action):
                # A start without a response may have succeeded, or succeed when the store can be written again; with
                # a key it is the same run then.
                key = {"Idempotency-Key": action}
                if (await self.client.ask("POST", "/images/convert/start", body, **key))[0] != 200:
                    await asyncio.sleep(_PAUSE_SECONDS)
        self.runs.append((action, count, broken))
        names = [f"{directory}-{n:05}.jpg" for n in range(broken, count)]
        self.expected |= {f"{folder}/{name}" for folder in RUN_OUTPUTS.values() for name in names}

    async def started(self, action: str) -> bool:
        """Whether a run labeled *action* exists."""
        response = await self.client.insist("GET", "/images/convert/runs")
        return any(run["action"] == action for run in response["items"])

    async def convert(self) -> None:
        """Convert one image, with retries."""
        body = upload_body(f"{uuid4().hex}.jpg")
        response = await self.client.insist("POST", "/images/upload/convert", body)
        assert [row["status"] for row in response["items"]] == ["success"], response
        self.converted |= {row["output"] for row in response["items"]}

    async def finished(self, *, seconds: float = 120) -> dict[str, Any]:
        """Wait until no run is active and the queues are empty; return the status of the last run."""
        async with asyncio.timeout(seconds):
            while (status := await self.client.insist("GET", "/images/convert/status"))["running"]:
                await asyncio.sleep(0.05)
            while any([await self.resources.queue.depth(queue) for queue in QueueName]):
                await asyncio.sleep(0.05)
        return dict(status)

    async def check(self) -> str:
        """Compare the state with the acknowledged requests; returns a summary.

        Nothing is lost, nothing was made without a request, every counter and every row is correct, and there are no
        dead letters.
        """
        made: dict[str, int] = {}
        async for page in self.resources.store.list(keys.TARGET):
            made.update({stored.key.removeprefix(keys.TARGET): stored.size for stored in page})
        promised = self.converted | self.expected
        lost, phantoms = promised - made.keys(), made.keys() - promised
        assert not lost, f"{len(lost)} lost, for example {sorted(lost)[:3]}"
        assert not phantoms, f"{len(phantoms)} without a request, for example {sorted(phantoms)[:3]}"
        assert all(made.values())
        statuses = (await self.client.insist("GET", "/images/convert/runs"))["items"]
        assert [status["action"] for status in statuses] == [action for action, _, _ in self.runs[::-1]][
            : len(statuses)
        ]
        if self.runs:
            await self.check_last_run()
        dead = await self.resources.queue.dead.all()
        assert not dead, f"{len(dead)} dead letters, for example {dead[0]}"
        left = [key async for key in self.resources.redis.scan_iter(match="arq:*", count=1000)]
        assert not left, f"{len(left)} keys of jobs are left, for example {left[:3]}"
        return f"{len(promised)} outputs promised, 0 lost, 0 too many, counters true"

    async def check_last_run(self) -> None:
        """Compare the status and results of the last run with its request; Redis has only the last runs."""
        action, count, broken = self.runs[-1]
        status = (await self.client.insist("GET", "/images/convert/runs"))["items"][0]
        assert status["action"] == action
        sources = {"error": broken, "skipped": 0, "success": count - broken, "warning": 0}
        assert status["status"] == "finished", status
        failed = await self.client.insist("GET", f"/images/convert/results?run={status['id']}&status=error")
        reasons = Counter(row["message"] for row in failed["items"])
        assert status["counter"] == sources, (status, reasons)
        assert status["formatCounter"] == {name: each * len(RUN_OUTPUTS) for name, each in sources.items()}, status
        rows: Counter[tuple[str, str]] = Counter()
        cursor: str | None = "0"
        while cursor is not None:
            page = await self.client.insist("GET", f"/images/convert/results?run={status['id']}&cursor={cursor}")
            rows.update((row["source"], row["formatId"]) for row in page["items"])
            cursor = page.get("cursor")
        assert len(rows) == count * len(RUN_OUTPUTS), f"rows of {len(rows)} outputs"
        assert set(rows.values()) == {1}, [row for row, times in rows.items() if times > 1][:3]
