"""Settings of every process."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from imageconverter.settings.part import PREFIX, Part


class ProcessSettings(Part):
    """What belongs to every process."""

    title = "All processes"
    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True)

    data_dir: Path = Field(
        default=Path(".data"), description="Folder of `up`: keys, embedded Redis and S3, logs of both."
    )
    log_format: Literal["auto", "console", "json"] = Field(
        default="auto", description="Log lines for people or for machines. auto: by whether stderr is a terminal."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severity that is logged."
    )
