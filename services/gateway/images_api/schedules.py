"""Handlers of `images/report/schedule` and `images/convert/schedule`: when something is done regularly."""

from typing import Annotated, Final, Self

from aiohttp import web
from pydantic import Field

from imageconverter.schedules.schedule import Schedule
from imageconverter.schedules.store import ScheduleStore
from services.gateway import audit, state
from services.gateway.auth.route_permissions import actor
from services.gateway.http.responses import ResponseModel, Timestamp, json_response
from services.gateway.http.revalidation import revalidated
from services.gateway.images_api.json_bodies import read_json
from services.gateway.images_api.request_bodies import ScheduleBody

_NEXT_TIMES: Final = 5


class ScheduleResponse(ResponseModel):
    """A schedule and its next times."""

    cron: str
    """A cron expression of five fields; empty: only on request."""
    time_zone: str
    """An IANA name; empty: the local time of the reporter."""
    default: str
    """The cron expression of the settings."""
    is_default: bool
    """Whether the schedule is that of the settings."""
    changed_at: Timestamp | None
    changed_by: str
    """The key or user that has changed it last; empty if it is that of the settings."""
    next_times: Annotated[tuple[Timestamp, ...], Field(max_length=_NEXT_TIMES)]

    @classmethod
    async def of(cls, schedule: Schedule, store: ScheduleStore) -> Self:
        """Return *schedule* as a response."""
        return cls(
            cron=schedule.cron,
            time_zone=schedule.time_zone,
            default=store.default.cron,
            is_default=schedule == store.default,
            changed_at=schedule.changed_at,
            changed_by=schedule.changed_by,
            next_times=tuple(schedule.next_times(await store.now(), _NEXT_TIMES)),
        )


class ScheduleHandlers:
    """The handlers of one schedule."""

    def __init__(self, key: web.AppKey[ScheduleStore]) -> None:
        """Use the schedule of the application that has this *key*."""
        self._key = key
        self.show = revalidated(self._show)

    async def _show(self, request: web.Request) -> web.Response:
        """Return the schedule, or the next times of that in the query."""
        store, query = request.app[self._key], request.query
        if "cron" in query or "timeZone" in query:
            schedule = Schedule.parse(query.get("cron", ""), query.get("timeZone", ""))
        else:
            schedule = await store.get()
        return json_response(await ScheduleResponse.of(schedule, store))

    async def replace(self, request: web.Request) -> web.Response:
        """Store another schedule."""
        body = await read_json(request, ScheduleBody)
        schedule = Schedule.parse(body.cron, body.timeZone)
        audit.describe(request, cron=schedule.cron, time_zone=schedule.time_zone)
        store = request.app[self._key]
        return json_response(await ScheduleResponse.of(await store.put(schedule, changed_by=actor(request)), store))

    async def reset(self, request: web.Request) -> web.Response:
        """Return to the schedule of the settings."""
        store = request.app[self._key]
        return json_response(await ScheduleResponse.of(await store.reset(), store))


REPORTS: Final = ScheduleHandlers(state.REPORT_SCHEDULE)
RUNS: Final = ScheduleHandlers(state.RUN_SCHEDULE)
