"""A schedule, in words and in its next times."""

import re
from datetime import date, time
from typing import Any, Final

from aiohttp import web

from imageconverter.schedules.schedule import Schedule
from imageconverter.schedules.store import ScheduleStore
from services.gateway import state
from services.gateway.console.languages import Language

_NEXT_TIMES: Final = 3
_SIMPLE: Final = re.compile(r"(\d{1,2}) (\d{1,2}) \* \* (\*|\d)")
_INTERVAL: Final = re.compile(r"\*/(\d{1,2}) \* \* \* \*")
_DAYS_OF_WEEK: Final = 7


async def shown_schedule(request: web.Request, store: ScheduleStore) -> dict[str, Any]:
    """Return the schedule in *store*, its next times, and what it is in words."""
    language = request.app[state.TEMPLATES].languages.of(request)
    schedule, now = await store.get(), await store.now()
    return {
        "schedule": schedule,
        "is_default": schedule == store.default,
        "words": in_words(schedule, language),
        "next_times": schedule.next_times(now, _NEXT_TIMES),
    }


def in_words(schedule: Schedule, language: Language) -> str:
    """Return what the schedule is, for example "Every day at 03:30"; "" if it is less simple."""
    if not schedule.cron:
        return language.gettext("Only on request")
    if found := _INTERVAL.fullmatch(schedule.cron):
        return language.gettext("Every %(minutes)s minutes") % {"minutes": found[1]}
    if (found := _SIMPLE.fullmatch(schedule.cron)) is None:
        return ""
    minute, hour, day = found.groups()
    at = language.clock_time(time(int(hour), int(minute)))
    if day == "*":
        return language.gettext("Every day at %(time)s") % {"time": at}
    # A day of the year 2026 that is the day of the week of cron, which begins with Sunday.
    weekday = language.weekday(date(2026, 1, 4 + int(day) % _DAYS_OF_WEEK))
    return language.gettext("Every %(weekday)s at %(time)s") % {"weekday": weekday, "time": at}
