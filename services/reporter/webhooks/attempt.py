"""One attempt at delivering a webhook."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import NamedTuple

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector, ThreadedResolver
from aiohttp.abc import AbstractResolver

from imageconverter import __version__
from imageconverter.errors import SourceRefused
from imageconverter.webhooks import Delivery
from services.reporter.sources.public_resolver import PublicResolver
from services.reporter.webhooks.endpoints import Endpoint
from services.reporter.webhooks.signing import sign

_MAX_RESPONSE_BYTES = 4096
_GONE = 410


class Outcome(NamedTuple):
    """The result of an attempt."""

    response: int
    """The HTTP status, 0 if there was no response."""
    error: str
    """Why it failed, "" if it has succeeded."""

    @property
    def is_gone(self) -> bool:
        """Whether the endpoint wants no more webhooks."""
        return self.response == _GONE


class Attempts:
    """Sends webhooks to addresses that are allowed. Redirects are not followed: they count as failures."""

    def __init__(self, session: ClientSession, resolver: PublicResolver, timeout_seconds: float) -> None:
        """Send through *session*, which has to use *resolver*."""
        self._session = session
        self._resolver = resolver
        self._timeout_seconds = timeout_seconds

    async def send(self, endpoint: Endpoint, delivery: Delivery) -> Outcome:
        """Send *delivery* once. Its errors have no text of others, which may contain the URL."""
        timestamp = int(time.time())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"imageconverter/{__version__}",
            "webhook-id": delivery.id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(endpoint.keys, delivery.id, timestamp, delivery.body),
        }
        try:
            self._resolver.check(endpoint.url)
            async with (
                asyncio.timeout(self._timeout_seconds),
                self._session.post(
                    endpoint.url, data=delivery.body.encode(), headers=headers, allow_redirects=False
                ) as response,
            ):
                # So that a server that sends its response slowly has sent it; the rest is not read.
                await response.content.read(_MAX_RESPONSE_BYTES)
                is_success = 200 <= response.status < 300  # noqa: PLR2004 - what the specification says
                return Outcome(response.status, "" if is_success else f"The response has status {response.status}.")
        except TimeoutError:
            return Outcome(0, "The endpoint did not respond in time.")
        except SourceRefused as error:
            return Outcome(0, error.reason)
        except (ClientError, OSError, ValueError) as error:
            return Outcome(0, f"The endpoint cannot be reached ({type(error).__name__}).")


@asynccontextmanager
async def open_attempts(
    private_hosts: Collection[str], timeout_seconds: float, *, resolver: AbstractResolver | None = None
) -> AsyncIterator[Attempts]:
    """Open the connections; only *private_hosts* may have private addresses.

    Host names are resolved by *resolver*, by default the system's. An attempt fails after *timeout_seconds*.
    """
    public_resolver = PublicResolver(resolver or ThreadedResolver(), private_hosts)
    async with ClientSession(
        # Without DNS cache: the addresses of each connection are resolved and checked.
        connector=TCPConnector(resolver=public_resolver, use_dns_cache=False, force_close=True),
        cookie_jar=DummyCookieJar(),
        timeout=ClientTimeout(total=None),  # `send` has its own
        auto_decompress=False,
        trust_env=False,
    ) as session:
        yield Attempts(session, public_resolver, timeout_seconds)
