"""The responses of `images/system/history`."""

from typing import Annotated, Self

from imageconverter.monitoring.counts import Kind
from imageconverter.monitoring.history import Conversions, Minute
from services.gateway.http.responses import Count, ResponseModel, Timestamp
from services.gateway.images_api.system_responses import QUEUES, Seconds, time_of


class ConversionsResponse(ResponseModel):
    """The conversions of one kind and queue in a minute; each is of one source to all of its outputs."""

    kind: Kind
    queue: Annotated[str, QUEUES]
    success: Count
    warning: Count
    skipped: Count
    """Up to date, or not an image."""
    error: Count
    unavailable: Count
    """Attempts that an outage has ended."""
    seconds: Seconds
    """How long they took together."""
    bytes_in: Count
    bytes_out: Count

    @classmethod
    def of(cls, each: Conversions) -> Self:
        """Return the conversions as a response."""
        return cls(
            kind=each.of.kind,
            queue=each.of.queue.value,
            **{str(outcome): count for outcome, count in each.outcomes.items()},
            seconds=each.seconds,
            bytes_in=each.bytes_in,
            bytes_out=each.bytes_out,
        )


class PreviewsInMinute(ResponseModel):
    """Previews that the ImageConverter API has served."""

    cached: Count
    converted: Count


class RequestsInMinute(ResponseModel):
    """HTTP requests by the status of their responses."""

    success: Count
    """Below 400."""
    client_errors: Count
    """4xx."""
    server_errors: Count
    """5xx."""


class MinuteResponse(ResponseModel):
    """What all processes have done in a minute."""

    at: Timestamp
    """When it began."""
    conversions: tuple[ConversionsResponse, ...]
    previews: PreviewsInMinute
    requests: RequestsInMinute

    @classmethod
    def of(cls, minute: Minute) -> Self:
        """Return *minute* as a response."""
        counts = minute.counts

        def requests(*digits: int) -> int:
            return sum(counts.get(f"requests.{digit}xx", 0) for digit in digits)

        return cls(
            at=time_of(minute.at),
            conversions=tuple(map(ConversionsResponse.of, minute.conversions)),
            previews=PreviewsInMinute(
                cached=counts.get("previews.cached", 0), converted=counts.get("previews.converted", 0)
            ),
            requests=RequestsInMinute(
                success=requests(1, 2, 3), client_errors=requests(4), server_errors=requests(5)
            ),
        )


class HourResponse(ResponseModel):
    """The last sixty minutes, the current one last."""

    items: tuple[MinuteResponse, ...]
