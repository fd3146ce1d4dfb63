"""A store whose clock is set, as its clients see it: a proxy changes the times in its responses."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime

from tests.testing.faults import FaultProxy, proxied

_MARKS = (rb"\nLast-Modified: ", rb"\nDate: ", b"<LastModified>")
_TIME = re.compile(b"(" + b"|".join(_MARKS) + rb")([^<\r]{20,29})(?=[<\r])")
# The end of a chunk that may be the beginning of a time.
_CUT = re.compile(
    b"|".join(
        part + b"$"
        for mark in _MARKS
        for part in (mark + rb"[^<\r]*", *(mark[:length] for length in range(len(mark) - 1, 2, -1)))
    )
)
_MORE_SECONDS = 0.05


class StoreClockProxy(FaultProxy):
    """Passes on what a store sends; what it has stored since its clock was set has times by that setting."""

    def __init__(self, upstream: int) -> None:
        """Forward to the server on port *upstream*; its clock is right at first."""
        super().__init__(upstream)
        self._settings = [(datetime.min.replace(tzinfo=UTC), timedelta(0))]

    def set(self, offset: int) -> None:
        """Let the clock differ from the right time by *offset* seconds from the next second on."""
        since = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)  # times have a resolution of seconds
        self._settings.append((since, timedelta(seconds=offset)))

    async def _pump_down(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                cut = _CUT.search(data, max(0, len(data) - 64))
                if cut is not None:
                    with contextlib.suppress(TimeoutError):
                        data += await asyncio.wait_for(source.read(65536), _MORE_SECONDS)
                sink.write(_TIME.sub(self._changed, data))
                await sink.drain()
        sink.transport.abort()

    def _changed(self, found: re.Match[bytes]) -> bytes:
        mark, text = found[1], found[2].decode()
        if mark.startswith(b"<"):
            time = datetime.fromisoformat(text)
            changed = self._shown(time).isoformat(timespec="milliseconds" if "." in text else "seconds")
            return mark + changed.replace("+00:00", "Z").encode()
        return mark + format_datetime(self._shown(parsedate_to_datetime(text)), usegmt=True).encode()

    def _shown(self, time: datetime) -> datetime:
        """Return what the clock showed at a right *time*."""
        return time + next(offset for since, offset in reversed(self._settings) if time >= since)


@asynccontextmanager
async def store_clock_proxy(upstream: int) -> AsyncIterator[StoreClockProxy]:
    """Run a proxy to the store on port *upstream*."""
    proxy = StoreClockProxy(upstream)
    async with proxied(proxy):
        yield proxy
