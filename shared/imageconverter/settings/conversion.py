"""Settings of conversions."""

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from imageconverter.schedules.cron import check_cron
from imageconverter.settings.part import MEGABYTE, PREFIX, Part


class ConversionSettings(Part):
    """Image formats, queue lengths and limits of images."""

    title = "Conversion"
    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True)

    formats_file: Path | None = Field(
        default=None, description="TOML file with the image formats. Not given: the shipped defaults."
    )
    subshops_file: Path | None = Field(
        default=None,
        description="TOML file with the subshops; it may change without a restart. Not given: those of "
        "`IMAGECONVERTER_SUBSHOPS`.",
    )
    max_megapixels: int = Field(default=100, ge=1, le=178, description="Largest source image, in millions of pixels.")
    max_source_mb: int = Field(
        default=256, ge=1, le=2048, description="Largest source file that a worker reads, in MiB."
    )
    truncated: Literal["accept", "refuse"] = Field(
        default="accept",
        description="Images that are cut off: `accept` converts what is there, with status `warning`, if it is half "
        "of the rows; `refuse` reports them as broken.",
    )
    max_interactive_queue: int = Field(
        default=256, ge=1, description="Largest number of waiting and running interactive conversions; beyond it 503."
    )
    upload_hours: float = Field(
        default=24, gt=0, description="Time after which staged uploads are deleted, in hours."
    )
    source_trash_days: float = Field(
        default=30, gt=0, description="Time after which deleted sources are deleted permanently, in days."
    )
    source_facts: Literal["request", "convert"] = Field(
        default="request",
        description="When the facts of a source, such as its ThumbHash, are made: `request`, when they are first "
        "asked for; `convert`, also when it is converted, in the same pass.",
    )
    automatic_schedule: str = Field(
        default="*/10 * * * *",
        description="When the source directories of automatic formats are scanned for what other programs have put "
        "there: a cron expression of five fields in the reporter's local time. Empty: never. A schedule that is set "
        "by the API takes precedence.",
    )

    follow_max_share: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="Share of the images of a format with `follow` that a scan may move to the trash because their "
        "source is gone, if these are more than ten. If more are, none is moved.",
    )

    @field_validator("automatic_schedule")
    @classmethod
    def _is_schedule(cls, value: str) -> str:
        if value:
            check_cron(value)
        return value

    @property
    def accepts_truncated(self) -> bool:
        """Whether `truncated` is `accept`."""
        return self.truncated == "accept"

    @property
    def max_source_bytes(self) -> int:
        """The limit of `max_source_mb` in bytes."""
        return self.max_source_mb * MEGABYTE

    @property
    def max_pixels(self) -> int:
        """The limit of `max_megapixels` in pixels."""
        return self.max_megapixels * 1_000_000
