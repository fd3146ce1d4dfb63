"""Settings of Redis."""

from pydantic import Field, FilePath, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from imageconverter.settings.part import PREFIX, Part
from imageconverter.settings.sentinel_address import SentinelAddress


class RedisSettings(Part):
    """The Redis that holds queues, progress and counters."""

    title = "Redis"
    model_config = SettingsConfigDict(env_prefix=PREFIX + "REDIS_", env_ignore_empty=True, frozen=True)

    url: SecretStr | None = Field(
        default=None,
        description="`redis://[user:password@]host:port/db`, `unix://…`, or with TLS `rediss://…`. With Sentinel "
        "`redis+sentinel://[user:password@]host:port,host:port/master/db` or `rediss+sentinel://…`. "
        "Not given: `up` starts its own.",
    )
    sentinel_user: str | None = Field(default=None, description="User of the Sentinels, if it is not the default.")
    sentinel_password: SecretStr | None = Field(default=None, description="Password of the Sentinels.")
    ca_file: FilePath | None = Field(
        default=None,
        description="PEM file with the authorities that have signed the certificates of Redis and Sentinel. "
        "Not given: those that the system trusts.",
    )
    certificate_file: FilePath | None = Field(
        default=None, description="PEM file with a client certificate for Redis and Sentinel."
    )
    key_file: FilePath | None = Field(default=None, description="PEM file with the key of that certificate.")
    timeout_seconds: float = Field(
        default=2, gt=0, le=30, description="Time after which a command fails, in seconds."
    )

    @field_validator("url")
    @classmethod
    def _is_address(cls, value: SecretStr | None) -> SecretStr | None:
        url = value.get_secret_value() if value is not None else "redis://"
        if not url.startswith(("redis://", "rediss://", "unix://")):
            SentinelAddress.parse(url)
        return value
