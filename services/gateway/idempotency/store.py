"""The responses to requests with an idempotency key, in Redis."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final, Literal, NamedTuple
from uuid import uuid4

from redis.asyncio import Redis

from imageconverter import keys
from imageconverter.errors import QueueUnavailable, RequestInProgress
from imageconverter.jobs import redis_errors, script_text

KEPT_SECONDS: Final = 24 * 3600
LEASE_SECONDS: Final = 15.0
"""After which a request can be claimed again whose gateway was killed."""
_RENEWALS_PER_LEASE: Final = 3
_RETRY_TIMEOUT_SECONDS: Final = 4
_TOKEN_BYTES: Final = 6  # as many as the ids of uploads and runs have

Outcome = Literal["store", "forget", "keep"]


class StoredResponse(NamedTuple):
    """The response to a request."""

    fingerprint: str
    """Differs between requests."""
    status: int
    content_type: str
    body: bytes


class Claim(NamedTuple):
    """A request that is being carried out here."""

    name: str
    holder: str
    token: str
    """The same each time the request is carried out again: for the ids of what it creates."""


class ResponseStore:
    """Claims requests and stores their responses. All methods raise QueueUnavailable."""

    def __init__(self, redis: Redis) -> None:
        """Use *redis*."""
        self._claim = redis.register_script(script_text(__package__, "claim"))
        self._renew = redis.register_script(script_text(__package__, "renew"))
        self._finish = redis.register_script(script_text(__package__, "finish"))

    async def claim(self, name: str) -> Claim | StoredResponse:
        """Claim the request called *name*, or return its response; raises RequestInProgress."""
        holder = uuid4().hex
        async with redis_errors(_RETRY_TIMEOUT_SECONDS):
            state, *values = await self._claim(
                keys=[keys.idempotent_request(name), keys.idempotent_lease(name)],
                args=[
                    secrets.token_hex(_TOKEN_BYTES),
                    holder,
                    int(LEASE_SECONDS * 1000),
                    KEPT_SECONDS * 1000,
                ],
            )
        match state, values:
            case b"claimed", [token]:
                return Claim(name, holder, token.decode())
            case b"stored", [fingerprint, status, content_type, body]:
                return StoredResponse(fingerprint.decode(), int(status), content_type.decode(), body)
        raise RequestInProgress("The request with this Idempotency-Key is in progress.")

    @asynccontextmanager
    async def renewed(self, claim: Claim) -> AsyncIterator[None]:
        """Context in which the *claim* does not expire."""
        ending = asyncio.Event()  # not a cancellation, which redis-py may swallow
        renewing = asyncio.create_task(self._renew_until(ending, claim))
        try:
            yield
        finally:
            ending.set()
            await renewing

    async def _renew_until(self, ending: asyncio.Event, claim: Claim) -> None:
        while not ending.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(ending.wait(), LEASE_SECONDS / _RENEWALS_PER_LEASE)
            if not ending.is_set():
                with suppress(QueueUnavailable):
                    async with redis_errors(_RETRY_TIMEOUT_SECONDS):
                        await self._renew(
                            keys=[keys.idempotent_lease(claim.name)], args=[claim.holder, int(LEASE_SECONDS * 1000)]
                        )

    async def finish(self, claim: Claim, outcome: Outcome, response: StoredResponse | None = None) -> None:
        """End the *claim*: store its *response*, forget the request, or keep its token for the next attempt."""
        async with redis_errors(_RETRY_TIMEOUT_SECONDS):
            await self._finish(
                keys=[keys.idempotent_request(claim.name), keys.idempotent_lease(claim.name)],
                args=[claim.holder, outcome, *(response or ())],
            )
