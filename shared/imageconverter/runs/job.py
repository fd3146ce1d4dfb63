"""The payloads of the jobs of a run."""

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

CONVERT_TASK = "convert_run_source"
PLAN_TASK = "plan_run"
COUNT_TASK = "count_run"


class RunJob(BaseModel):
    """Plans or counts the next sources of a run.

    The payload is written as a list, because workers of release 0.1.0 unpack it and share the queue during an
    upgrade. Lists and objects are both read, so that the next release can write objects.
    """

    model_config = ConfigDict(frozen=True)

    run_id: str

    @model_validator(mode="before")
    @classmethod
    def _from_list(cls, payload: Any) -> Any:
        if isinstance(payload, list):
            return dict(zip(cls.model_fields, payload, strict=False))
        return payload

    def payload(self) -> list[Any]:
        """Return the values in the order of the fields."""
        return list(self.model_dump().values())


class RunSourceJob(RunJob):
    """Converts one source of a run."""

    index: int
    """Position of the source in the run."""
    batch: int
    """Position of the batch in the run."""
    key: str
    """Object key of the source."""
    etag: str
