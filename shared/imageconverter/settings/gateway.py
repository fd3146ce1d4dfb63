"""Settings of the gateway."""

import re
from functools import cached_property
from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from imageconverter.settings.part import PREFIX, Part, split_list

MIN_TOKEN_SECRET_BYTES = 32  # RFC 7518, section 3.2


# As browsers send it: in lower case, and without the default port.
_ORIGIN = re.compile(r"https?://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")


class GatewaySettings(Part):
    """Addresses, credentials and limits of the gateway."""

    title = "Gateway"
    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True)

    host: str = Field(default="127.0.0.1", description="Address the gateway listens on.")
    port: int = Field(default=8005, ge=1, le=65535, description="Port the gateway listens on.")
    api_key: SecretStr | None = Field(
        default=None, description="Key with all permissions for the images API. `up` generates one if none is set."
    )
    api_keys_file: Path | None = Field(
        default=None,
        description="TOML file with further keys and their permissions; it may change without a restart.",
    )
    admin_user: str = Field(
        default="admin", description="User of the protected operations of the ImageConverter API, and of the login."
    )
    admin_password: SecretStr | None = Field(
        default=None, description="Password of that user. `up` generates one if none is set."
    )
    admin_password_file: Path | None = Field(
        default=None, description="File with that password instead; it may change without a restart."
    )
    token_secret: SecretStr | None = Field(
        default=None,
        description="Secret of at least 32 bytes that signs the tokens of the login; the same for all gateways. "
        "Required if there is an admin password; without it the login is disabled. `up` generates one.",
    )
    login_failures: int = Field(
        default=20,
        ge=1,
        description="Invalid passwords and keys that one address may send within 5 minutes; then it gets 429.",
    )
    trusted_proxies: int = Field(
        default=0,
        ge=0,
        le=16,
        description="Number of reverse proxies in front of the gateway; each appends the address of its client to "
        "`X-Forwarded-For`. 0: that header and `X-Forwarded-Proto` are ignored.",
    )
    requests_per_minute: int = Field(
        default=0,
        ge=0,
        description="Requests that one key, or one address without a key, may send to one gateway; then it gets 429. "
        "0: no limit. The health checks do not count.",
    )
    cors_origins: str = Field(
        default="",
        description="Origins whose pages may call this gateway from a browser, with a key (CORS), separated by "
        "commas: `https://shop.example`. Empty: none. Cookies are never accepted from them.",
    )
    content_host: str = Field(
        default="",
        description="Host (and path) at which clients reach the converted images, for the responses of "
        "`images/url`. Empty: the gateway's own `HOST:PORT/content`.",
    )
    content_max_age: int = Field(
        default=3600, ge=0, description="Time for which browsers and proxies may cache a converted image, in seconds."
    )
    subshops: str = Field(
        default="default",
        description="Ids of the subshops, separated by commas; the first is the default. They share everything. Not "
        "used if there is an `IMAGECONVERTER_SUBSHOPS_FILE`.",
    )
    max_upload_mb: int = Field(
        default=64,
        ge=1,
        le=1024,
        description="Maximum size of an upload, all its images together, in MiB; larger ones get 413.",
    )
    upload_memory_mb: int = Field(
        default=512,
        ge=1,
        description="Memory for all request bodies being read, in MiB: half of it for requests with a key, three "
        "eighths for requests that need none, the rest for catalogs. Others wait for up to 30 seconds, then get 503.",
    )
    search_mb: int = Field(
        default=128,
        ge=1,
        description="Memory for the index of the names in a tree, in MiB, built for the first search; names beyond "
        "it are found too, but slowly. A million names need about 50.",
    )
    body_seconds: float = Field(default=60, gt=0, description="Timeout for receiving a request body, in seconds.")
    liveness_port: int = Field(
        default=0, ge=0, le=65535, description="Additional port for `GET /health/liveness` only; 0: none."
    )
    wait_seconds: float = Field(
        default=30,
        gt=0,
        description="Timeout after which a client that waits for its conversion gets 503, in seconds.",
    )

    start_seconds: float = Field(
        default=1.5, ge=0, description="Time for which `convert/start` waits for a small run to finish, in seconds."
    )

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, value: str) -> str:
        for each in split_list(value):
            if not _ORIGIN.fullmatch(each):
                raise ValueError(f"{each!r} is not an origin such as https://shop.example")
        return value

    @field_validator("token_secret")
    @classmethod
    def _is_long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value().encode()) < MIN_TOKEN_SECRET_BYTES:
            raise ValueError(f"must have at least {MIN_TOKEN_SECRET_BYTES} bytes")
        return value

    @property
    def subshop_ids(self) -> list[str]:
        """The configured subshops, the default first."""
        return split_list(self.subshops)

    @cached_property
    def allowed_origins(self) -> frozenset[str]:
        """The origins of `cors_origins`."""
        return frozenset(split_list(self.cors_origins))

    @property
    def content_base(self) -> str:
        """Host and path of public content, without scheme and trailing slash."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        given = self.content_host.split("://", 1)[-1].strip("/")
        return given or f"{host}:{self.port}/content"
