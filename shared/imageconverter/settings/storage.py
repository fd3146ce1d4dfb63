"""Settings of the object store."""

from pydantic import Field, FilePath, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from imageconverter.settings.part import PREFIX, Part


class StorageSettings(Part):
    """The S3-compatible object store."""

    title = "Object store (S3)"
    model_config = SettingsConfigDict(env_prefix=PREFIX + "S3_", env_ignore_empty=True, frozen=True)

    endpoint: str | None = Field(
        default=None, description="Address of the S3 API, `http(s)://host:port`. Not given: `up` starts its own."
    )
    public_endpoint: str | None = Field(
        default=None,
        description="Address of the S3 API for clients, for uploads that do not go through the gateway; not given: "
        "there are none.",
    )
    ca_file: FilePath | None = Field(
        default=None,
        description="PEM file with the authorities that have signed the certificate of the S3 API. "
        "Not given: those that are trusted everywhere.",
    )
    bucket: str = Field(
        default="imageconverter", min_length=3, max_length=63, description="Bucket; created if it does not exist."
    )
    region: str = Field(default="us-east-1", description="Region that requests are signed for.")
    access_key: SecretStr | None = Field(default=None, description="Access key id.")
    secret_key: SecretStr | None = Field(default=None, description="Secret access key.")
    timeout_seconds: float = Field(
        default=4,
        gt=0,
        le=60,
        description="Time after which a request, including retries, fails, in seconds; "
        "large objects get one more second for each 4 MiB.",
    )

    @property
    def credentials(self) -> tuple[str | None, str | None]:
        """The access key id and the secret access key in plain text."""
        access_key, secret_key = (
            None if secret is None else secret.get_secret_value() for secret in (self.access_key, self.secret_key)
        )
        return access_key, secret_key

    @field_validator("endpoint", "public_endpoint")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value.rstrip("/") if value else value
