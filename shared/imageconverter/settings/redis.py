"""Settings of Redis."""

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from imageconverter.settings.part import PREFIX, Part


class RedisSettings(Part):
    """The Redis that holds queues, progress and counters."""

    title = "Redis"
    model_config = SettingsConfigDict(env_prefix=PREFIX + "REDIS_", env_ignore_empty=True, frozen=True)

    url: SecretStr | None = Field(
        default=None,
        description="`redis://[user:password@]host:port/db`, `rediss://…` or `unix://…`. "
        "Not given: `up` starts its own.",
    )
    timeout_seconds: float = Field(
        default=2, gt=0, le=30, description="Time after which a command fails, in seconds."
    )
