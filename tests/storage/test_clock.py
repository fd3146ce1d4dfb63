"""Ages by the store's clock, which is set forward and back."""

from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from imageconverter.storage.clock import StoreClock

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)


class Host:
    """A machine with an uptime, and a store whose clock may be set."""

    def __init__(self) -> None:
        self.uptime = 1000.0
        self.now = NOON
        self.clock = StoreClock(lambda: self.uptime)

    def pass_time(self, time: timedelta) -> None:
        """Let both clocks go on."""
        self.uptime += time.total_seconds()
        self.now += time

    def cutoff(self, age: timedelta) -> datetime:
        """Read the store's clock and return the cutoff."""
        self.clock.observe(self.now)
        return self.clock.cutoff(self.now, age)


def test_cutoff_is_the_time_less_the_age() -> None:
    """While the clock goes as it should, or is corrected by seconds."""
    host = Host()
    cutoffs = [host.cutoff(DAY)]
    host.pass_time(HOUR)
    host.now += 2 * SECOND
    cutoffs.append(host.cutoff(DAY))

    assert cutoffs == [NOON - DAY, NOON + HOUR + 2 * SECOND - DAY]


@pytest.mark.parametrize("step", [HOUR, 40 * DAY])
def test_clock_that_was_set_forward_makes_nothing_older(step: timedelta) -> None:
    """What was stored before is deleted when its time has come; later, the new setting counts."""
    host = Host()
    host.cutoff(DAY)
    host.now += step
    with capture_logs() as logged:
        after = host.cutoff(DAY)
    host.pass_time(DAY - SECOND)
    last = host.cutoff(DAY)
    host.pass_time(2 * DAY)

    assert after == NOON - DAY
    assert last == NOON - SECOND
    assert host.cutoff(DAY) == host.now - DAY
    assert logged == [
        {"event": "clock of the store was set", "log_level": "warning", "seconds": step.total_seconds()}
    ]


@pytest.mark.parametrize("step", [HOUR, 40 * DAY])
def test_clock_that_was_set_back_makes_nothing_older(step: timedelta) -> None:
    """The objects stored since have their times by the new setting."""
    host = Host()
    host.cutoff(DAY)
    host.now -= step

    assert host.cutoff(DAY) == NOON - step - DAY


def test_clock_that_was_right_again_makes_nothing_older() -> None:
    """Neither what was stored while it was wrong nor what was stored before."""
    host = Host()
    host.cutoff(DAY)
    host.now -= 40 * DAY
    host.cutoff(DAY)
    host.pass_time(HOUR)
    host.now += 40 * DAY

    assert host.cutoff(DAY) == NOON + HOUR - 41 * DAY
    assert host.cutoff(timedelta(minutes=30)) == NOON + timedelta(minutes=30)
