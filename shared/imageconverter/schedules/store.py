"""The stored schedule of one task, which takes precedence over that of the settings."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from pydantic import ValidationError
from redis.asyncio import Redis

from imageconverter.errors import StoreUnavailable
from imageconverter.jobs import redis_command
from imageconverter.schedules.cron import time_before
from imageconverter.schedules.schedule import Schedule
from imageconverter.storage.store import ObjectStore


class ScheduleStore:
    """A schedule in the object store, and in Redis the last time at which it was due.

    Every method raises StoreUnavailable and QueueUnavailable.
    """

    def __init__(
        self, store: ObjectStore, redis: Redis, *, object_key: str, redis_key: str, default: str, retry_timeout: float
    ) -> None:
        """Use these keys; *default* is the cron expression of the settings, in the local time of the process."""
        self._store = store
        self._redis = redis
        self._object_key = object_key
        self._redis_key = redis_key
        self.default = Schedule(cron=default)
        self._retry_timeout = retry_timeout

    async def get(self) -> Schedule:
        """Return the stored schedule, or that of the settings if none is stored."""
        loaded = await self._store.get(self._object_key)
        try:
            return Schedule.model_validate_json(bytes(loaded.data)) if loaded else self.default
        except ValidationError as error:
            raise StoreUnavailable("The stored schedule is broken.") from error

    async def put(self, schedule: Schedule, *, changed_by: str) -> Schedule:
        """Store *schedule* and return what is stored; it is due from its next time on."""
        now = await self.now()
        stored = schedule.model_copy(update={"changed_at": now, "changed_by": changed_by})
        await self._set_last(now)  # first: a time in the past must not count as missed
        data = stored.model_dump_json().encode()
        await self._store.put(self._object_key, data, content_type="application/json")
        return stored

    async def reset(self) -> Schedule:
        """Return to the schedule of the settings."""
        await self._set_last(await self.now())
        await self._store.delete([self._object_key])
        return self.default

    async def now(self) -> datetime:
        """Return the time of Redis, the one clock of all reporters and gateways."""
        seconds, _ = await redis_command(self._redis, self._retry_timeout, "TIME")
        return datetime.fromtimestamp(int(seconds), UTC)

    async def run_if_due(self, work: Callable[[], Awaitable[None]], *, now: datetime) -> int:
        """Call *work* if the schedule is due; returns how often it was called.

        One call makes up for all missed times. The first look only records the time: work starts with the next due
        time. All reporters have to take *now* from one clock.
        """
        schedule = await self.get()
        due = time_before(schedule.cron, schedule.local(now)) if schedule.cron else None
        if due is None:
            return 0
        stored = await redis_command(self._redis, self._retry_timeout, "GET", self._redis_key)
        last = None if stored is None else datetime.fromisoformat(stored.decode())
        if last is not None and due <= last <= now:
            return 0
        is_due = last is not None and last < due  # else the clock was set back since
        if is_due:
            await work()
        # Recorded last: working twice does no harm, but work that was not done would be missed.
        await self._set_last(due)
        return int(is_due)

    async def _set_last(self, at: datetime) -> None:
        await redis_command(self._redis, self._retry_timeout, "SET", self._redis_key, at.isoformat())
