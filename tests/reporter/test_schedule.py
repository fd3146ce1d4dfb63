"""Scans by the clock: each due time once, whatever was missed made up for by one; and changes of the schedule."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from imageconverter import keys
from imageconverter.errors import InvalidValue, StoreUnavailable
from imageconverter.jobs import QueueName
from imageconverter.reports import commands
from imageconverter.resources import Resources
from imageconverter.schedules.schedule import Schedule
from imageconverter.schedules.store import ScheduleStore
from imageconverter.settings import ReportSettings

NIGHTLY = "30 3 * * *"


async def asked(resources: Resources, day: int, hour: int, minute: int) -> int:
    """Look at that time of November; returns how many scans were asked for."""
    now = datetime(2026, 11, day, hour, minute, tzinfo=UTC)
    return await nightly(resources).run_if_due(lambda: commands.scan(resources.queue), now=now)


def nightly(resources: Resources) -> ScheduleStore:
    """Return the schedule of a stack whose settings say that reports are made at night."""
    return ScheduleStore(
        resources.store,
        resources.redis,
        object_key=keys.REPORT_SCHEDULE,
        redis_key=keys.SCHEDULED,
        default=NIGHTLY,
        retry_timeout=20,
    )


async def due(schedule: ScheduleStore, now: datetime) -> int:
    """Return how often work is done at *now*."""

    async def work() -> None:
        pass

    return await schedule.run_if_due(work, now=now)


async def test_a_scan_is_asked_for_once_each_time_it_is_due(opened: Resources) -> None:
    """Not at the first look, when nothing is known of any time before."""
    assert await asked(opened, 20, 12, 0) == 0
    assert await asked(opened, 21, 3, 29) == 0
    assert await opened.queue.depth(QueueName.SCAN) == 0
    assert await asked(opened, 21, 3, 31) == 1
    assert await opened.queue.depth(QueueName.SCAN) == 1
    assert await asked(opened, 21, 3, 31) == 0
    assert await asked(opened, 21, 23, 59) == 0


async def test_times_that_were_missed_are_made_up_for_by_one_scan(opened: Resources) -> None:
    """After days without a reporter."""
    assert await asked(opened, 20, 12, 0) == 0
    assert await asked(opened, 25, 12, 0) == 1
    assert await asked(opened, 25, 12, 1) == 0
    assert await opened.queue.depth(QueueName.SCAN) == 1


async def test_a_clock_that_was_set_back_does_not_prevent_scans(opened: Resources) -> None:
    """It was ten days ahead; the next time that is due counts."""
    assert await asked(opened, 20, 12, 0) == 0
    assert await asked(opened, 30, 12, 0) == 1
    assert await asked(opened, 20, 12, 1) == 0
    assert await asked(opened, 21, 3, 31) == 1


@pytest.mark.parametrize("schedule", ["daily", "61 * * * *", "* * * *", "0 0 0 * * *"])
def test_a_schedule_that_is_none_is_refused(schedule: str) -> None:
    """When the settings are read."""
    with pytest.raises(ValidationError, match="cron expression"):
        ReportSettings(schedule=schedule)


async def test_a_stored_schedule_takes_precedence_until_it_is_reset(opened: Resources) -> None:
    """Another process sees it at its next look."""
    schedule = nightly(opened)
    assert (await schedule.get()).cron == NIGHTLY
    await schedule.put(Schedule.parse("0 12 * * MON", "Europe/Berlin"), changed_by="key shop")

    stored = await nightly(opened).get()
    assert (stored.cron, stored.time_zone, stored.changed_by) == ("0 12 * * MON", "Europe/Berlin", "key shop")

    await schedule.reset()
    assert await nightly(opened).get() == Schedule(cron=NIGHTLY)


async def test_a_new_schedule_is_not_due_for_times_before_it_was_stored(opened: Resources) -> None:
    """Also if Redis has lost when it was last due; from the next time on it is."""
    schedule = nightly(opened)
    now = await schedule.now()
    await due(schedule, now - timedelta(days=3))
    await schedule.put(Schedule.parse("* * * * *", ""), changed_by="")
    assert await due(schedule, now) == 0
    assert await due(schedule, now + timedelta(minutes=1)) == 1

    await opened.redis.delete(keys.SCHEDULED)
    assert await due(schedule, now + timedelta(minutes=2)) == 0
    assert await due(schedule, now + timedelta(minutes=3)) == 1


async def test_a_schedule_that_was_switched_off_is_never_due(opened: Resources) -> None:
    """Although that of the settings would be."""
    schedule = nightly(opened)
    now = await schedule.now()
    await schedule.put(Schedule.parse("", ""), changed_by="")

    assert [await due(schedule, now + timedelta(days=days)) for days in range(3)] == [0, 0, 0]
    assert (await schedule.get()).next_times(now, 5) == []


async def test_a_schedule_that_cannot_be_read_is_an_error(opened: Resources) -> None:
    """Making reports at other times than wanted would be worse than none."""
    await opened.store.put(keys.REPORT_SCHEDULE, b"{", content_type="application/json")

    with pytest.raises(StoreUnavailable, match="schedule is broken"):
        await nightly(opened).get()


def test_times_are_those_of_the_time_zone() -> None:
    """Half past two does not exist on the day on which summer time begins in Berlin, and the offset changes."""
    schedule = Schedule.parse("30 2 * * *", "Europe/Berlin")

    times = schedule.next_times(datetime(2026, 3, 28, 0, 0, tzinfo=UTC), 3)

    assert [each.astimezone(UTC).isoformat() for each in times] == [
        "2026-03-28T01:30:00+00:00",
        "2026-03-29T01:00:00+00:00",
        "2026-03-30T00:30:00+00:00",
    ]


@pytest.mark.parametrize(
    ("cron", "time_zone", "field"),
    [
        ("daily", "", "cron"),
        ("0 0 30 2 *", "", "cron"),
        ("0 0 " + "1," * 200 + "1 * *", "", "cron"),
        ("0 3 * * *", "Mars", "timeZone"),
        ("0 3 * * *", "../../etc/passwd", "timeZone"),
        ("0 3 * * *", "Europe", "timeZone"),
        ("0 3 * * *", "\0", "timeZone"),
        ("0 3 * * *", "x" * 5000, "timeZone"),
    ],
)
def test_an_invalid_schedule_is_refused(cron: str, time_zone: str, field: str) -> None:
    """With the field."""
    with pytest.raises(InvalidValue) as caught:
        Schedule.parse(cron, time_zone)
    assert caught.value.field == field
