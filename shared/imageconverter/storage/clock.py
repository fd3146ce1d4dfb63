"""The age of what is in the store, although the store's clock may be set while a process runs."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import structlog

_log = structlog.get_logger(__name__)

_TOLERANCE: Final = timedelta(minutes=1)  # of a reading, which takes some time, and of slow corrections
_MAX_SETTINGS: Final = 100


class _Setting(NamedTuple):
    """A setting of the clock, until it was changed."""

    zero: datetime
    """What the clock showed, or would have shown, when this machine was started."""
    last_seen: float
    """Uptime at the last reading."""


def _uptime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)  # includes the time in which the machine slept


class StoreClock:
    """Compares the store's clock with the uptime of this machine, which does not change when a clock is set."""

    def __init__(self, uptime: Callable[[], float] = _uptime) -> None:
        """Measure by *uptime*, in seconds."""
        self._uptime = uptime
        self._settings: list[_Setting] = []

    def observe(self, now: datetime) -> None:
        """Record that the store's clock shows *now*."""
        uptime = self._uptime()
        setting = _Setting(now - timedelta(seconds=uptime), uptime)
        earlier = self._settings
        if earlier and abs(step := setting.zero - earlier[-1].zero) > _TOLERANCE:
            _log.warning("clock of the store was set", seconds=round(step.total_seconds()))
        else:
            earlier = earlier[:-1]
        self._settings = [*earlier[-_MAX_SETTINGS:], setting]

    def cutoff(self, now: datetime, age: timedelta) -> datetime:
        """Return the time before which an object was last modified if it is older than *age*.

        *now* is the time observed last. If the clock was set during the last *age*, its earliest setting counts:
        objects may be taken for younger than they are, but not for older.
        """
        since, current = self._uptime() - age.total_seconds(), self._settings[-1]
        shifts = (each.zero - current.zero for each in self._settings if each.last_seen >= since)
        return now - age + min(shifts, default=timedelta(0))
