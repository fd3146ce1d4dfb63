"""Connections to Redis: directly or by Sentinel, with or without TLS, bounded in time, retrying through a restart."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from redis.asyncio import ConnectionPool, Redis, Sentinel
from redis.asyncio.connection import SSLConnection, parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import SentinelConnectionPool, SentinelManagedConnection
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.exceptions import ConnectionError, ResponseError, TimeoutError  # noqa: A004 - redis-py's names

from imageconverter.settings import RedisSettings
from imageconverter.settings.sentinel_address import SentinelAddress, is_sentinel_address

_SENTINEL_SECONDS: Final = 0.5  # Sentinels are asked one after the other


class MasterConnection(SentinelManagedConnection):
    """A connection to the master that the Sentinels name, and to no other one.

    A master that was frozen works on until a Sentinel makes it a replica, ten seconds later. What is written there
    meanwhile is lost.
    """

    async def connect(self) -> None:
        """Connect, if need be; a connection to an earlier master is replaced. redis-py calls this before each use."""
        pool: SentinelConnectionPool = self.connection_pool
        if self.is_connected and pool.master_address != (self.host, self.port):
            await self.disconnect()
        await super().connect()  # type: ignore[no-untyped-call]

    async def connect_to(self, address: tuple[str, int]) -> None:
        """Connect to *address* once; raises ConnectionError if another master was elected meanwhile.

        redis-py would retry it there for as long as a command may take, without asking the Sentinels again.
        """
        retry, self.retry = self.retry, Retry(NoBackoff(), 0)
        is_master = False
        try:
            await super().connect_to(address)  # type: ignore[no-untyped-call]
            is_master = await self.connection_pool.get_master_address() == address
        finally:
            self.retry = retry
            if not is_master:
                await self.disconnect(nowait=True)
        if not is_master:
            raise ConnectionError("Another master was elected.")

    async def read_response(self, *args: Any, **options: Any) -> Any:
        """Read a response; raises ConnectionError if it says that the server has become a replica.

        redis-py does so for single commands only: Redis 6 puts its own words before the error of a script.
        """
        try:
            return await super().read_response(*args, **options)
        except ResponseError as error:
            if "READONLY" not in str(error):
                raise
            await self.disconnect()
            raise ConnectionError("The master has become a replica.") from error


class MasterTLSConnection(MasterConnection, SSLConnection):
    """The same with TLS."""


@asynccontextmanager
async def open_pool(settings: RedisSettings, url: str, *, retry_timeout: float) -> AsyncIterator[ConnectionPool]:
    """Open connections to the Redis at *url*, on which commands are retried for about *retry_timeout* seconds."""
    retrying: dict[str, Any] = {
        "health_check_interval": 15,
        # The first three pauses together take a second, as does each of the others.
        "retry": Retry(ExponentialBackoff(cap=1, base=0.05), int(retry_timeout) + 3),
        # redis-py's own errors; a server that loads its data after a restart raises one of them.
        # OSError: redis-py does not convert it if a restarting server refuses the connection.
        "retry_on_error": [ConnectionError, TimeoutError, OSError],
    }
    server = _server(settings, SentinelAddress.parse(url).server if is_sentinel_address(url) else url)
    sentinels: list[Redis] = []
    if is_sentinel_address(url):
        address = SentinelAddress.parse(url)
        sentinel: Any = Sentinel(address.sentinels, sentinel_kwargs=_sentinel(settings, server))  # type: ignore[no-untyped-call]
        sentinels = sentinel.sentinels
        server["connection_class"] = MasterTLSConnection if _has_tls(server) else MasterConnection
        pool: ConnectionPool = SentinelConnectionPool(address.master, sentinel, **retrying, **server)  # type: ignore[no-untyped-call]
    else:
        pool = ConnectionPool(**retrying, **server)
    try:
        yield pool
    finally:
        await pool.disconnect()
        for each in sentinels:
            await each.aclose()


def _server(settings: RedisSettings, url: str) -> dict[str, Any]:
    """Return the options of connections to the Redis at *url*, what it says itself included."""
    given: dict[str, Any] = dict(parse_url(url))
    options = {**_bounded(settings.timeout_seconds), **(_tls(settings, given) if _has_tls(given) else {}), **given}
    return options if "path" in given else {"socket_keepalive": True, **options}


def _sentinel(settings: RedisSettings, server: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of connections to Sentinels, which use TLS as *server* does."""
    password = settings.sentinel_password
    return {
        **_bounded(min(settings.timeout_seconds, _SENTINEL_SECONDS)),
        **{name: value for name, value in server.items() if name.startswith("ssl_")},
        "ssl": _has_tls(server),
        "username": settings.sentinel_user,
        "password": password.get_secret_value() if password else None,
    }


def _bounded(seconds: float) -> dict[str, Any]:
    return {
        "socket_timeout": seconds,
        "socket_connect_timeout": seconds,
        # Otherwise each connection sends CLIENT SETINFO, which Redis before 7.2 and the ACL of docker/ refuse.
        "lib_name": None,
        "lib_version": None,
    }


def _has_tls(options: Mapping[str, Any]) -> bool:
    return options.get("connection_class") is SSLConnection


def _tls(settings: RedisSettings, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of TLS: certificates are verified with the host's name, unless the URL says otherwise."""
    files = {
        "ssl_ca_certs": settings.ca_file,
        "ssl_certfile": settings.certificate_file,
        "ssl_keyfile": settings.key_file,
    }
    return {
        "ssl_check_hostname": given.get("ssl_cert_reqs") != "none",
        **{name: str(path) for name, path in files.items() if path},
    }
