"""Logins: which refresh token is the last one of each, so that none can be used twice."""

import secrets
from typing import TYPE_CHECKING, Final

import structlog
from redis.asyncio import Redis

from imageconverter import keys
from imageconverter.jobs import redis_errors, script_text

if TYPE_CHECKING:
    from redis.commands.core import AsyncScript

_log = structlog.get_logger(__name__)

SESSION_SECONDS: Final = 7 * 24 * 3600
"""Time after which a login ends, however often it was refreshed."""
_GRACE_SECONDS: Final = 10
_RETRY_TIMEOUT_SECONDS: Final = 4
_ID_BYTES: Final = 12
_REPLAYED: Final = "replayed"


def new_id() -> str:
    """Return a random id for a login or a token."""
    return secrets.token_urlsafe(_ID_BYTES)


class Sessions:
    """The logins that have not ended, in Redis. If Redis loses them, users log in again."""

    def __init__(self, redis: Redis) -> None:
        """Use *redis*."""
        self._redis = redis
        self._exchange: AsyncScript = redis.register_script(script_text("services.gateway.auth", "sessions"))

    async def begin(self, login: str) -> str:
        """Store the new *login*; returns the id of its refresh token. Raises QueueUnavailable."""
        token = new_id()
        async with redis_errors(_RETRY_TIMEOUT_SECONDS), self._redis.pipeline(transaction=True) as pipeline:
            pipeline.hset(keys.login(login), "current", token)
            pipeline.expire(keys.login(login), SESSION_SECONDS)
            await pipeline.execute()
        return token

    async def refresh(self, login: str, token: str) -> str | None:
        """Exchange the refresh token with the id *token*; returns the id of the next one.

        Returns None if the login has ended; a token that was used before ends it. Raises QueueUnavailable.
        """
        async with redis_errors(_RETRY_TIMEOUT_SECONDS):
            reply = await self._exchange(keys=[keys.login(login)], args=[token, new_id(), _GRACE_SECONDS * 1000])
        text = reply.decode() if isinstance(reply, bytes) else str(reply)
        if text == _REPLAYED:
            _log.warning("refresh token used twice; the login has ended", login=login)
        return text if text not in ("", _REPLAYED) else None

    async def end(self, login: str) -> None:
        """End *login*: its refresh token is worth nothing from now on. Raises QueueUnavailable."""
        async with redis_errors(_RETRY_TIMEOUT_SECONDS):
            await self._redis.delete(keys.login(login))
