"""Settings of catalogs, reports and clean-ups."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from imageconverter.schedules.cron import check_cron
from imageconverter.settings.part import MEGABYTE, PREFIX, Part, split_list


class ReportSettings(Part):
    """Sources of catalogs, the schedule of reports, and limits of clean-ups."""

    title = "Reports and clean-up"
    model_config = SettingsConfigDict(env_prefix=PREFIX + "REPORT_", env_ignore_empty=True, frozen=True)

    schedule: str = Field(
        default="",
        description="When reports are made: a cron expression of five fields in the reporter's local time, such as "
        "`30 3 * * *`. Empty: only on request. A schedule that is set by the API or the console takes precedence.",
    )
    products_source: SecretStr | None = Field(
        default=None,
        description="Source of the catalog of products, read before each report: `s3:KEY`, `http(s)://…`, "
        "`postgresql://USER:PASSWORD@HOST/DATABASE` or `mysql://…`. Not given: the catalog uploaded last.",
    )
    products_query: str = Field(
        default="", description="For a database: a SELECT with columns `id`, `active` and `images` (or `image`)."
    )
    categories_source: SecretStr | None = Field(default=None, description="Likewise for categories.")
    categories_query: str = Field(default="", description="Likewise for categories.")
    app_images_source: SecretStr | None = Field(default=None, description="Likewise for app images.")
    app_images_query: str = Field(default="", description="Likewise for app images.")
    private_hosts: str = Field(
        default="",
        description="Hosts with private addresses that feeds may be read from, separated by commas.",
    )
    max_catalog_mb: int = Field(
        default=2048, ge=1, description="Largest catalog as text, uploaded or read from a source, in MiB."
    )
    source_seconds: float = Field(
        default=900, gt=0, description="Total time for uploading or reading a catalog, in seconds."
    )
    keep: int = Field(default=14, ge=1, le=1000, description="Number of reports kept for each type.")
    grace_days: float = Field(
        default=7,
        ge=0,
        description="Minimum time between the oldest and the newest report that must list a file as unused before a "
        "clean-up moves it to the trash, in days.",
    )
    max_share: float = Field(
        default=0.2,
        ge=0,
        le=1,
        description="Share of all files that a clean-up may move without an explicit override.",
    )
    trash_days: float = Field(
        default=30, gt=0, description="Time after which files in the trash are deleted permanently, in days."
    )
    folder: Path | None = Field(
        default=None, description="Folder for the reporter's work files. Not given: the system's temporary one."
    )
    memory_mb: int = Field(
        default=256, ge=64, description="Memory for comparing, in MiB; the reporter needs about 150 MiB more."
    )
    disk_mb: int = Field(
        default=16_384, ge=64, description="Largest size of data spilled to the folder while comparing, in MiB."
    )
    threads: int = Field(default=2, ge=1, le=64, description="Threads for comparing.")

    @field_validator("schedule")
    @classmethod
    def _is_schedule(cls, value: str) -> str:
        if value:
            check_cron(value)
        return value

    @property
    def grace(self) -> timedelta:
        """The time of `grace_days`."""
        return timedelta(days=self.grace_days)

    @property
    def max_catalog_bytes(self) -> int:
        """The limit of `max_catalog_mb` in bytes."""
        return self.max_catalog_mb * MEGABYTE

    @property
    def private_host_names(self) -> list[str]:
        """The hosts of `private_hosts`."""
        return split_list(self.private_hosts)
