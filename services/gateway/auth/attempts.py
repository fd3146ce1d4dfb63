"""Who presents wrong passwords or keys again and again is not listened to for a while, by any gateway."""

import ipaddress
import math
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
_IPV6_PREFIX = 64  # of an IPv6 address: what follows, one client changes as it likes


class Attempts:
    """Failures by client address, counted in Redis for all gateways together."""

    def __init__(self, redis: Redis, settings: GatewaySettings) -> None:
        """Take `login_failures` and `trusted_proxies` of *settings*."""
        self._most = settings.login_failures
        self._proxies = settings.trusted_proxies
        self._check: AsyncScript = redis.register_script(script_text("services.gateway.auth", "attempts"))

    async def check(self, request: web.Request, *, success: bool) -> None:
        """Note that *request* presented credentials, and whether they are *success*.

        Raises TooManyAttempts, for right ones too, where its address has presented too many wrong ones in the
        last WINDOW_SECONDS; QueueUnavailable where that cannot be told. One script decides both, so that nobody
        gets further by asking many times at once, or learns from the time that an answer takes.
        """
        address = client_address(request, self._proxies)
        async with redis_errors(_RETRY_TIMEOUT_SECONDS):
            wait_ms = await self._check(
                keys=[keys.failures(address)], args=[self._most, WINDOW_SECONDS * 1000, 0 if success else 1]
            )
        if wait_ms:
            _log.warning("too many wrong credentials", address=address)
            raise TooManyAttempts("There were too many wrong credentials.", seconds=math.ceil(wait_ms / 1000))


def client_address(request: web.Request, proxies: int) -> str:
    """Return the address of the client, of IPv6 its network, as the nearest of *proxies* proxies of ours tell it.

    What stands in X-Forwarded-For further left was written by strangers. With no proxies, or where they have not
    written what they should, it is the address that the connection comes from.
    """
    told = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
    text = told[-proxies].strip() if 0 < proxies <= len(told) else ""
    for each in (text, request.remote or ""):
        try:
            address = ipaddress.ip_address(each)
        except ValueError:
            continue
        if isinstance(address, ipaddress.IPv6Address):
            if address.ipv4_mapped is not None:
                return str(address.ipv4_mapped)
            return str(ipaddress.ip_network((int(address), _IPV6_PREFIX), strict=False).network_address)
        return str(address)
    return "unknown"
