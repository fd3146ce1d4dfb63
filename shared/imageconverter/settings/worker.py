"""Settings of the worker."""

import os
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from imageconverter.settings.part import PREFIX, Part


class WorkerSettings(Part):
    """Sandbox processes of a worker and their limits."""

    title = "Worker"
    model_config = SettingsConfigDict(env_prefix=PREFIX + "WORKER_", env_ignore_empty=True, frozen=True)

    children: int = Field(
        default=0,
        ge=0,
        le=256,
        description="Number of images that are converted at once, apart from one more that a client waits for "
        "and half as many that take long. 0: one for each usable core.",
    )
    memory_mb: int = Field(
        default=1024,
        ge=256,
        description="Memory limit of one image, in MiB; an image that needs more is refused.",
    )
    timeout_seconds: float = Field(
        default=30,
        gt=0,
        le=600,
        description="Time limit of one image, after which its sandbox process is killed, in seconds.",
    )
    pictures_per_child: int = Field(
        default=500, ge=1, description="Number of images after which a sandbox process is replaced."
    )
    sandbox: Literal["prefer", "require"] = Field(
        default="prefer",
        description="If system calls cannot be filtered: `prefer` logs a warning and starts, "
        "`require` does not start.",
    )

    @property
    def process_count(self) -> int:
        """The number of sandbox processes."""
        return self.children or len(os.sched_getaffinity(0))
