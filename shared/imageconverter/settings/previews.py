"""Settings of the ImageConverter API."""

from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from imageconverter.settings.part import MEGABYTE, PREFIX, Part


class PreviewSettings(Part):
    """Which previews the ImageConverter API makes, how many requests it takes, and how long it keeps them."""

    title = "Previews (ImageConverter API)"
    model_config = SettingsConfigDict(env_prefix=PREFIX + "PREVIEW_", env_ignore_empty=True, frozen=True)

    target_formats: str = Field(
        default="auto:200x150, auto:200x150~cover, auto:800x800, auto:1920x1080, auto:1920x1080~cover",
        description="Formats that previews are made in, separated by commas; "
        "`TYPE:WIDTHxHEIGHT[~SCALETYPE][~norotate][~expand][@QUALITY]` each.",
    )
    pre_convert: bool = Field(
        default=False,
        description="Whether the first request for an image has it made in the other formats as well; "
        "needs far more CPU.",
    )
    matching: Literal["nearest", "larger", "exact"] = Field(
        default="nearest",
        description="Which format answers a request: the one with the `nearest` area; the nearest of those that are "
        "`larger`, if there are any; or `exact`, just what was asked for, made on demand.",
    )
    instant_queue: int = Field(
        default=128, ge=1, description="Previews that clients wait for, those being made included; over it 503."
    )
    background_queue: int = Field(
        default=512, ge=1, description="Previews that nobody waits for yet; over it no more are made ahead of time."
    )
    parallel_requests: int = Field(
        default=512, ge=1, description="Requests that one gateway answers at a time; over it 503."
    )
    convert_seconds: float = Field(
        default=10, gt=0, le=600, description="Time making one preview may take before it fails, in seconds."
    )
    user_comment: str = Field(
        default="OX_IC", max_length=1024, description="Comment that is written into every preview."
    )
    max_keys: int = Field(
        default=250_000,
        ge=1,
        description="Keys that are kept; with more, those go that were not asked for longest, down to 90 %.",
    )
    max_mb: int = Field(
        default=-1,
        ge=-1,
        description="Size of all sources and previews that are kept, in MiB; likewise. -1: no limit.",
    )
    max_idle_minutes: int = Field(
        default=43_200,
        ge=-1,
        description="Time after which a key goes that nobody asks for, in minutes. -1: no limit.",
    )
    cleanup_seconds: int = Field(
        default=300, ge=1, description="Time between two looks at these three limits, in seconds."
    )
    hot_mb: int = Field(
        default=64, ge=0, description="Memory of a gateway for the previews that it served last, in MiB."
    )
    hot_seconds: float = Field(
        default=1,
        ge=0,
        description="Time that a preview is served from there before the index is asked again, in seconds.",
    )
    strict_errors: bool = Field(
        default=False,
        description="Whether every error is answered with 500, as the original's documents have it, "
        "instead of a status that tells what happened.",
    )

    @property
    def max_bytes(self) -> int | None:
        """The limit of `max_mb` in bytes, None where there is none."""
        return None if self.max_mb < 0 else self.max_mb * MEGABYTE

    @property
    def max_idle_seconds(self) -> int | None:
        """The limit of `max_idle_minutes` in seconds, None where there is none."""
        return None if self.max_idle_minutes < 0 else self.max_idle_minutes * 60
