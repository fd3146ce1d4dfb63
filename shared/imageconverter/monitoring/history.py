"""What all processes have done in the last hour, minute by minute, in Redis."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from redis.asyncio import Redis

from imageconverter import keys
from imageconverter.jobs import QueueName, redis_command, redis_errors, script_text
from imageconverter.monitoring.counts import KINDS, OUTCOMES, ConversionCount, Counts, Outcome

MINUTES: Final = 60
_KEPT_SECONDS: Final = 75 * 60  # with some room for clocks


class Conversions(NamedTuple):
    """The conversions of one kind and one queue in a minute."""

    of: ConversionCount
    outcomes: Mapping[Outcome, int]
    """How many there were, by outcome."""
    seconds: float
    """How long they took together."""
    bytes_in: int
    bytes_out: int


class Minute(NamedTuple):
    """What was counted within a minute."""

    at: int
    """When it began, in seconds since 1970."""
    counts: Mapping[str, int]
    """By the names of `Counts`."""

    @property
    def conversions(self) -> list[Conversions]:
        """Those of each kind and queue of which there were some."""
        found = [self._conversions(ConversionCount(kind, queue)) for kind in KINDS for queue in QueueName]
        return [each for each in found if any(each.outcomes.values())]

    def _conversions(self, of: ConversionCount) -> Conversions:
        def count(what: str) -> int:
            return self.counts.get(of.name(what), 0)

        outcomes = {outcome: count(outcome) for outcome in OUTCOMES}
        return Conversions(of, outcomes, count("milliseconds") / 1000, count("bytes_in"), count("bytes_out"))


class HourHistory:
    """The counts of the last hour. All methods raise QueueUnavailable."""

    def __init__(self, redis: Redis, *, retry_timeout: float) -> None:
        """Use *redis*, retrying for *retry_timeout* seconds."""
        self._redis = redis
        self._retry_timeout = retry_timeout
        self._add = redis.register_script(script_text("imageconverter.monitoring", "add_counts"))

    async def record(self, counts: Counts) -> None:
        """Add what was counted since the last call to the current minute."""
        changes = counts.unrecorded()
        if not changes:
            return
        flat = [each for change in changes.items() for each in change]
        async with redis_errors(self._retry_timeout):
            await self._add(args=[keys.minute(""), _KEPT_SECONDS, *flat])
        counts.mark_recorded(changes)

    async def minutes(self) -> list[Minute]:
        """Return the last sixty minutes, the current one last."""
        seconds, _ = await redis_command(self._redis, self._retry_timeout, "TIME")
        current = int(seconds) // 60
        numbers = range(current - MINUTES + 1, current + 1)
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=False) as pipe:
            for number in numbers:
                pipe.hgetall(keys.minute(str(number)))
            found = await pipe.execute()
        return [
            Minute(number * 60, {name.decode(): int(count) for name, count in counts.items()})
            for number, counts in zip(numbers, found, strict=True)
        ]
