"""Settings of every process."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from imageconverter.settings.part import PREFIX, Part


class ProcessSettings(Part):
    """Settings that all processes have."""

    title = "All processes"
    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True)

    data_dir: Path = Field(
        default=Path(".data"), description="Folder of `up`: keys, embedded Redis and S3, logs of both."
    )
    cache_dir: Path = Field(
        default=Path("~/.cache/imageconverter"),
        description="Folder in which commands keep what they know of local files, so that they compare and convert "
        "only what has changed. It may be deleted.",
    )
    log_format: Literal["auto", "console", "json"] = Field(
        default="auto", description="Format of the log. auto: `console` if stderr is a terminal, else `json`."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Minimum severity of log lines."
    )

    metrics_host: str = Field(
        default="127.0.0.1", description="Address on which a worker or reporter serves metrics."
    )
    metrics_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="Port on which a worker or reporter serves `GET /metrics`, for Prometheus; 0: none. Each process "
        "of a host needs its own. A gateway serves them on its own port.",
    )

    trace_endpoint: str | None = Field(
        default=None,
        pattern="^https?://",
        description="Address of a collector of OpenTelemetry (OTLP over HTTP), as `http://collector:4318`. Needs the "
        "extra `tracing`.",
    )
    trace_share: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="Share of requests that are traced, unless the client's `traceparent` decides.",
    )
    sentry_dsn: SecretStr | None = Field(
        default=None, description="Address (DSN) of a Sentry project that gets errors. Needs the extra `sentry`."
    )

    @property
    def cache_folder(self) -> Path:
        """The folder of `cache_dir`, with `~` replaced by the home directory if there is one."""
        try:
            return self.cache_dir.expanduser()
        except RuntimeError:
            return self.data_dir / "cache"
