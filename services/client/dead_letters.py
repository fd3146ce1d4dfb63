"""Dead letters: jobs that used up their attempts."""

from typing import cast

from services.client.responses import DeadLetter, DeadLetterList
from services.client.transport import Request, Transport, in_url

_BASE = "/images/jobs/dead"


class DeadLetters:
    """Operations on dead letters; each raises ApiError."""

    def __init__(self, transport: Transport) -> None:
        """Send requests by *transport*."""
        self._transport = transport

    async def list(self) -> list[DeadLetter]:
        """Return the dead letters, newest first."""
        return cast("DeadLetterList", await self._transport.json(Request("GET", _BASE)))["items"]

    async def retry(self, job: str) -> None:
        """Queue *job* again. Not repeated: a second attempt would not find it."""
        await self._transport.json(Request("POST", f"{_BASE}/{in_url(job)}", repeat="refused"))

    async def delete(self, job: str) -> None:
        """Delete *job*. Not repeated: a second attempt would not find it."""
        await self._transport.json(Request("DELETE", f"{_BASE}/{in_url(job)}", repeat="refused"))
