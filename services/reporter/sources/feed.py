"""A catalog fetched from a web server."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Final

from aiohttp import (
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    InvalidURL,
    TCPConnector,
    ThreadedResolver,
)
from aiohttp.abc import AbstractResolver
from yarl import URL

from imageconverter.catalog import Notation
from imageconverter.errors import SourceRefused, SourceUnavailable
from services.reporter.sources.decompression import decompress
from services.reporter.sources.public_resolver import PublicResolver
from services.reporter.sources.source import Source, SourceLimits, notation_of

_REDIRECTS: Final = (301, 302, 303, 307, 308)
_MAX_REDIRECTS = 5
_OK = 200
_TEMPORARY: Final = (408, 425, 429)  # and all from 500 on
_CHUNK_BYTES = 64 * 1024
_GZIP = b"\x1f\x8b"  # has an end of its own
_NOTATIONS: Final[dict[str, Notation]] = {
    "text/csv": "csv",
    "application/csv": "csv",
    "application/x-ndjson": "ndjson",
    "application/ndjson": "ndjson",
    "application/jsonl": "ndjson",
    "application/x-jsonlines": "ndjson",
    "application/jsonlines": "ndjson",
}


@asynccontextmanager
async def open_feed(
    address: str,
    limits: SourceLimits,
    *,
    private_hosts: Collection[str] = (),
    resolver: AbstractResolver | None = None,
) -> AsyncIterator[Source]:
    """Fetch *address*, following up to five redirects; only *private_hosts* may have private addresses.

    Host names are resolved by *resolver*, by default the system's. Raises SourceUnavailable if the server does not
    answer, closes the connection early or returns 5xx, and SourceRefused if its address is not allowed or it returns
    another error.
    """
    public_resolver = PublicResolver(resolver or ThreadedResolver(), private_hosts)
    async with ClientSession(
        # Without DNS cache: the addresses of each connection are resolved and checked.
        connector=TCPConnector(resolver=public_resolver, use_dns_cache=False, force_close=True),
        cookie_jar=DummyCookieJar(),
        timeout=ClientTimeout(total=None),  # `_Fetch` has its own
        trust_env=False,
    ) as session:
        fetch = _Fetch(session, public_resolver, limits)
        async with await fetch.open(_parse(address)) as response:
            notation = _NOTATIONS.get(response.content_type) or notation_of(response.url.path)
            async with (
                aclosing(fetch.chunks(response)) as received,
                aclosing(decompress(received, limits.max_bytes)) as chunks,
            ):
                yield Source(notation, chunks)


class _Fetch:
    """The download of one feed."""

    def __init__(self, session: ClientSession, resolver: PublicResolver, limits: SourceLimits) -> None:
        self._session = session
        self._resolver = resolver
        self._silence_seconds = limits.silence_seconds
        self._end = asyncio.get_running_loop().time() + limits.seconds

    async def open(self, url: URL) -> ClientResponse:
        """Follow redirects to the feed; the credentials in *url* are sent to its own origin only."""
        origin = _origin(url)
        credentials = _credentials(url)
        for _ in range(_MAX_REDIRECTS + 1):
            self._resolver.check(url)
            response = await self._get(url.with_user(None), credentials if _origin(url) == origin else {})
            if response.status not in _REDIRECTS:
                return _checked(response)
            response.close()
            url = _redirected(url, response.headers.get("Location", ""))
        raise SourceRefused(f"The feed's server redirects more than {_MAX_REDIRECTS} times.")

    async def chunks(self, response: ClientResponse) -> AsyncGenerator[bytes, None]:
        """Read the feed, each chunk within the time limits.

        Raises SourceUnavailable if the end may be missing: a response that announces neither its length nor that it
        is sent in chunks ends with the connection, also with a lost one, so its last line must have an end.
        """
        first = last = b""
        while True:
            async with self._time_limit():
                chunk = await response.content.read(_CHUNK_BYTES)
            if not chunk:
                break
            first, last = first or chunk[:2], chunk[-1:]
            yield chunk
        has_end = response.content_length is not None or "Transfer-Encoding" in response.headers
        if not has_end and first != _GZIP and "Content-Encoding" not in response.headers and last != b"\n":
            raise SourceUnavailable("The feed may be incomplete: it has no length, and its last line has no end.")

    async def _get(self, url: URL, headers: Mapping[str, str]) -> ClientResponse:
        async with self._time_limit():
            return await self._session.get(url, headers=headers, allow_redirects=False)

    @asynccontextmanager
    async def _time_limit(self) -> AsyncIterator[None]:
        try:
            left = self._end - asyncio.get_running_loop().time()
            async with asyncio.timeout(min(self._silence_seconds, left)):
                yield
        except TimeoutError:
            raise SourceUnavailable("The feed's server did not answer in time.") from None
        except InvalidURL:
            raise SourceRefused("The feed's address is not a valid URL.") from None
        except (ClientError, OSError) as error:
            # Without the cause: its text may contain the URL, and that a token.
            raise SourceUnavailable(f"The feed cannot be fetched ({type(error).__name__}).") from None


def _checked(response: ClientResponse) -> ClientResponse:
    if response.status == _OK:
        return response
    response.close()
    reason = f"The feed's server answered with status {response.status}."
    if response.status in _TEMPORARY or response.status >= 500:  # noqa: PLR2004 - server errors
        raise SourceUnavailable(reason)
    raise SourceRefused(reason)


def _parse(address: str) -> URL:
    try:
        return URL(address)
    except ValueError:
        raise SourceRefused("The feed's address is not a valid URL.") from None


def _credentials(url: URL) -> dict[str, str]:
    if url.user is None and url.password is None:
        return {}
    pair = f"{url.user or ''}:{url.password or ''}".encode()
    return {"Authorization": f"Basic {b64encode(pair).decode()}"}


def _redirected(url: URL, location: str) -> URL:
    try:
        target = url.join(URL(location))
    except ValueError:
        raise SourceRefused("The feed's server redirects to an invalid URL.") from None
    if url.scheme == "https" and target.scheme == "http":
        raise SourceRefused("The feed's server redirects from https:// to http://.")
    return target


def _origin(url: URL) -> tuple[str, str | None, int | None]:
    return url.scheme, url.raw_host, url.port
