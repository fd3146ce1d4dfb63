"""A receiver of webhooks on loopback."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aiohttp import web
from aiohttp.test_utils import TestServer
from standardwebhooks import Webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


class Received(NamedTuple):
    """A request that the receiver has got."""

    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """The id of the event."""
        return self.headers["webhook-id"]

    def verified(self, secret: str = SECRET) -> Any:
        """Return the event, by the library of the specification; raises WebhookVerificationError."""
        return Webhook(secret).verify(self.body, self.headers)


class Receiver:
    """Answers with statuses, the last of them again and again, and keeps the requests."""

    def __init__(self, *statuses: int) -> None:
        """Answer with 204, or with *statuses*."""
        self.statuses = [*statuses] or [204]
        self.received: list[Received] = []
        self.release: asyncio.Event | None = None
        """Answers wait for it."""
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Keep *request* and answer."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.received.append(Received(headers, await request.read()))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if self.release is not None:
            await self.release.wait()
        return web.Response(status=status)

    def types(self) -> list[str]:
        """Return the types of the events received, verified."""
        return [each.verified()["type"] for each in self.received]

    async def wait_for(self, count: int, *, seconds: float = 30) -> list[Received]:
        """Wait until *count* requests have arrived, and return all."""
        async with asyncio.timeout(seconds):
            while len(self.received) < count:
                await asyncio.sleep(0.02)
        return self.received


@asynccontextmanager
async def receiving(*statuses: int) -> AsyncIterator[Receiver]:
    """Run a receiver that answers with *statuses*."""
    receiver = Receiver(*statuses)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.handle)
    async with TestServer(app, host="127.0.0.1", shutdown_timeout=0) as server:
        receiver.url = str(server.make_url("/hooks?token=secret"))
        try:
            yield receiver
        finally:
            if receiver.release is not None:
                receiver.release.set()


def data_of(body: bytes | str) -> Any:
    """Return the data of an event."""
    return json.loads(body)["data"]
