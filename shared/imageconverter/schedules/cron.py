"""Cron expressions of five fields."""

from datetime import UTC, datetime
from itertools import islice
from typing import Final

from cronsim import CronSim, CronSimError

_FIELDS: Final = 5
_MAX_CHARACTERS: Final = 200


def check_cron(expression: str) -> None:
    """Raise ValueError unless *expression* is a cron expression of five fields."""
    if len(expression) > _MAX_CHARACTERS or len(expression.split()) != _FIELDS:
        raise ValueError("is not a cron expression of five fields")
    try:
        CronSim(expression, datetime.now(UTC))
    except CronSimError as error:
        raise ValueError(f"is not a cron expression: {error}") from None


def times_after(expression: str, now: datetime, count: int) -> list[datetime]:
    """Return the next *count* times of *expression*, in the time zone of *now*; fewer if there are no more."""
    return list(islice(CronSim(expression, now), count))


def time_before(expression: str, now: datetime) -> datetime | None:
    """Return the last time of *expression* before *now*, in its time zone; None if there was none for decades."""
    return next(CronSim(expression, now, reverse=True), None)
