"""Settings of the ImageConverter API."""

from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from imageconverter.settings.part import MEGABYTE, PREFIX, Part


class PreviewSettings(Part):
    """Formats, request limits and retention of previews."""

    title = "Previews (ImageConverter API)"
    model_config = SettingsConfigDict(env_prefix=PREFIX + "PREVIEW_", env_ignore_empty=True, frozen=True)

    target_formats: str = Field(
        default="auto:200x150, auto:200x150~cover, auto:800x800, auto:1920x1080, auto:1920x1080~cover",
        description="Formats of previews, separated by commas, each as "
        "`TYPE:WIDTHxHEIGHT[~SCALETYPE][~norotate][~expand][@QUALITY]`.",
    )
    pre_convert: bool = Field(
        default=False,
        description="Whether the first request for an image also makes its previews in the other formats; "
        "needs far more CPU.",
    )
    matching: Literal["nearest", "larger", "exact"] = Field(
        default="nearest",
        description="Which format is returned: the one with the `nearest` area; the nearest of those that are "
        "`larger`, if there are any; or `exact`, the requested format, made on demand.",
    )
    instant_queue: int = Field(
        default=256,
        ge=1,
        description="Largest number of waiting and running interactive preview jobs; beyond it 503.",
    )
    background_queue: int = Field(
        default=512, ge=1, description="Largest number of background preview jobs; beyond it no more are added."
    )
    parallel_requests: int = Field(
        default=512, ge=1, description="Requests that one gateway serves concurrently; beyond it 503."
    )
    convert_seconds: float = Field(
        default=10, gt=0, le=600, description="Time after which making a preview fails, in seconds."
    )
    user_comment: str = Field(default="OX_IC", max_length=1024, description="Comment written into every preview.")
    max_keys: int = Field(
        default=250_000,
        ge=1,
        description="Largest number of keys; beyond it the least recently used are evicted, down to 90 %.",
    )
    max_mb: int = Field(
        default=10_240,
        ge=-1,
        description="Largest total size of sources and previews, in MiB; likewise. From a tenth above it on, further "
        "ones get 503. -1: no limit, so that clients without a key can fill the disk.",
    )
    max_idle_minutes: int = Field(
        default=43_200,
        ge=-1,
        description="Time without access after which a key is evicted, in minutes. -1: no limit.",
    )
    cleanup_seconds: int = Field(
        default=60, ge=1, description="Time between two checks of these three limits, in seconds."
    )
    hot_mb: int = Field(
        default=64, ge=0, description="Memory cache of a gateway for the previews it served last, in MiB."
    )
    hot_seconds: float = Field(
        default=1,
        ge=0,
        description="Time that a preview is served from the memory cache without a look-up in the index, and that a "
        "source is not looked up again for thumbnails and signed URLs, in seconds.",
    )
    strict_errors: bool = Field(
        default=False,
        description="Whether every error has status 500, as in the documentation of the original, "
        "instead of a specific status.",
    )

    @property
    def max_bytes(self) -> int | None:
        """The limit of `max_mb` in bytes, None if there is none."""
        return None if self.max_mb < 0 else self.max_mb * MEGABYTE

    @property
    def max_idle_seconds(self) -> int | None:
        """The limit of `max_idle_minutes` in seconds, None if there is none."""
        return None if self.max_idle_minutes < 0 else self.max_idle_minutes * 60
