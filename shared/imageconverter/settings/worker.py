"""Settings of the worker."""

import os
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from imageconverter.settings.part import PREFIX, Part


class WorkerSettings(Part):
    """How a worker carries out conversions."""

    title = "Worker"
    model_config = SettingsConfigDict(env_prefix=PREFIX + "WORKER_", env_ignore_empty=True, frozen=True)

    children: int = Field(
        default=0, ge=0, le=256, description="Converting child processes. 0: one for each usable core."
    )
    memory_mb: int = Field(
        default=1024,
        ge=256,
        description="Memory that one image may take, in MiB; one that needs more is refused.",
    )
    timeout_seconds: float = Field(
        default=30, gt=0, le=600, description="Time one image may take before its child is killed, in seconds."
    )
    pictures_per_child: int = Field(
        default=500, ge=1, description="Images after which a child is replaced by a fresh one."
    )
    sandbox: Literal["prefer", "require"] = Field(
        default="prefer",
        description="Where system calls of a child cannot be filtered: `prefer` says so in the log and goes on, "
        "`require` does not start.",
    )

    @property
    def process_count(self) -> int:
        """The number of children to keep."""
        return self.children or len(os.sched_getaffinity(0))
