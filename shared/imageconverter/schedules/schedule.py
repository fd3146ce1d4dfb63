"""A schedule: a cron expression in a time zone."""

from datetime import datetime
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AwareDatetime, BaseModel, ConfigDict

from imageconverter.errors import InvalidValue
from imageconverter.schedules.cron import check_cron, times_after


class Schedule(BaseModel):
    """When something is done."""

    model_config = ConfigDict(frozen=True)

    cron: str = ""
    """A cron expression of five fields; "": never."""
    time_zone: str = ""
    """An IANA name; "": the local time of the process."""
    changed_at: AwareDatetime | None = None
    """None if it is that of the settings."""
    changed_by: str = ""
    """The key or user that has changed it."""

    @classmethod
    def parse(cls, cron: str, time_zone: str) -> Self:
        """Return a schedule; raises InvalidValue."""
        cron = " ".join(cron.split())
        try:
            if cron:
                check_cron(cron)
        except ValueError as error:
            raise InvalidValue(f"cron {error}.", field="cron") from None
        try:
            if time_zone:
                ZoneInfo(time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise InvalidValue(
                "The time zone is not known; its name must be one like Europe/Berlin.", field="timeZone"
            ) from None
        return cls(cron=cron, time_zone=time_zone)

    def local(self, now: datetime) -> datetime:
        """Return *now* in the time zone of the schedule."""
        return now.astimezone(ZoneInfo(self.time_zone) if self.time_zone else None)

    def next_times(self, now: datetime, count: int) -> list[datetime]:
        """Return the next *count* times, none if it is never."""
        return times_after(self.cron, self.local(now), count) if self.cron else []
