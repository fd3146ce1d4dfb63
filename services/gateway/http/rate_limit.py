"""A limit of requests per minute for each key, and for each address without one, in the memory of this gateway."""

import math
import secrets
import time
from typing import Final

from aiohttp import web
from cachetools import LRUCache

from imageconverter.errors import TooManyRequestsInTime
from services.gateway.auth.api_keys import KeyRing, bearer
from services.gateway.auth.attempts import client_address

_MAX_CLIENTS: Final = 100_000
_BURST_SECONDS: Final = 10.0
_MIN_BURST: Final = 10.0
_MAX_JITTER_SECONDS: Final = 3


class RateLimiter:
    """Token buckets: a client may send what is allowed in ten seconds at once, then at the rate of the limit."""

    def __init__(self, per_minute: int, keys: KeyRing, proxies: int) -> None:
        """Allow *per_minute* requests by each of *keys*, and by each address behind *proxies* proxies."""
        self._rate = per_minute / 60
        self._burst = max(_MIN_BURST, self._rate * _BURST_SECONDS)
        self._keys = keys
        self._proxies = proxies
        self._buckets: LRUCache[str, tuple[float, float]] = LRUCache(_MAX_CLIENTS)

    def check(self, request: web.Request) -> None:
        """Count *request*; raises TooManyRequestsInTime if its client has sent too many."""
        holder = self._keys.holder_of_key(bearer(request))
        client = holder if holder is not None else client_address(request, self._proxies)
        now = time.monotonic()
        tokens, last = self._buckets.get(client, (self._burst, now))
        tokens = min(self._burst, tokens + (now - last) * self._rate)
        if tokens < 1:
            self._buckets[client] = tokens, now
            seconds = math.ceil((1 - tokens) / self._rate) + secrets.randbelow(_MAX_JITTER_SECONDS + 1)
            raise TooManyRequestsInTime("Too many requests; try again later.", seconds=seconds)
        self._buckets[client] = tokens - 1, now
