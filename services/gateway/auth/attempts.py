"""Rate limit for invalid passwords and keys, by client address."""

import ipaddress
import math
from functools import lru_cache
from typing import TYPE_CHECKING

import structlog
from aiohttp import web
from redis.asyncio import Redis

from imageconverter import keys
from imageconverter.errors import TooManyAttempts
from imageconverter.jobs import redis_errors, script_text
from imageconverter.settings import GatewaySettings

if TYPE_CHECKING:
    from redis.commands.core import AsyncScript

_log = structlog.get_logger(__name__)

WINDOW_SECONDS = 300
_RETRY_TIMEOUT_SECONDS = 4
_MAX_CHARACTERS = 64  # of an address
_IPV6_PREFIX = 64  # bits that identify a client; it chooses the rest itself


class Attempts:
    """Counts of invalid credentials by client address, shared by all gateways in Redis."""

    def __init__(self, redis: Redis, settings: GatewaySettings) -> None:
        """Use `login_failures` and `trusted_proxies` of *settings*."""
        self._max_failures = settings.login_failures
        self._proxies = settings.trusted_proxies
        self._check: AsyncScript = redis.register_script(script_text("services.gateway.auth", "attempts"))

    async def check(self, request: web.Request, *, success: bool) -> None:
        """Record that *request* presented credentials: valid ones if *success*.

        Raises TooManyAttempts, for valid credentials as well, if its address has presented too many invalid ones
        within WINDOW_SECONDS; QueueUnavailable if Redis does not reply. One script checks and counts, so that
        concurrent requests do not get past the limit, and valid and invalid credentials take the same time.
        """
        address = client_address(request, self._proxies)
        async with redis_errors(_RETRY_TIMEOUT_SECONDS):
            wait_ms = await self._check(
                keys=[keys.failures(address)], args=[self._max_failures, WINDOW_SECONDS * 1000, 0 if success else 1]
            )
        if wait_ms:
            _log.warning("too many invalid credentials", address=address)
            raise TooManyAttempts("Too many invalid credentials; try again later.", seconds=math.ceil(wait_ms / 1000))


def client_address(request: web.Request, proxies: int) -> str:
    """Return the client's IPv4 address or IPv6 network, as reported by the outermost of *proxies* trusted proxies.

    Clients write the entries of X-Forwarded-For left of those of the proxies. Without proxies, or if the header is
    missing or invalid, it is the address of the connection.
    """
    forwarded = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
    text = forwarded[-proxies].strip() if 0 < proxies <= len(forwarded) else ""
    found = (_network(each) for each in (text, request.remote or "") if len(each) <= _MAX_CHARACTERS)
    return next(filter(None, found), "unknown")


@lru_cache(maxsize=1000)
def _network(text: str) -> str:
    """Return the IPv4 address or IPv6 network of an address; "" if it is none."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((int(address), _IPV6_PREFIX), strict=False).network_address)
    return str(address)
