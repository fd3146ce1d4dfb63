"""Scans by the clock: each due time once, whatever was missed made up for by one."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from imageconverter.jobs import QueueName
from imageconverter.reports.schedule import scan_when_due
from imageconverter.resources import Resources
from imageconverter.settings import ReportSettings

NIGHTLY = "30 3 * * *"


async def asked(resources: Resources, day: int, hour: int, minute: int) -> int:
    """Look at that time of November; returns how many scans were asked for."""
    now = datetime(2026, 11, day, hour, minute, tzinfo=UTC)
    return await scan_when_due(resources.redis, resources.queue, NIGHTLY, now, retry_timeout=4)


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
