"""All settings, from the environment (prefix ``IMAGECONVERTER_``) or from secret files; read nowhere else."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

from cronsim import CronSim, CronSimError
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "IMAGECONVERTER_"
SECRETS_DIR = Path("/run/secrets")  # where Docker and Kubernetes mount them, lower-case names

MEGABYTE = 1024 * 1024


class SettingsError(ValueError):
    """Settings that cannot be used; one line a variable."""


class _Part(BaseSettings):
    """The settings of one part of the system."""

    title: ClassVar[str]


class Gateway(_Part):
    """What the gateway listens on, who may call it, and how much it takes in."""

    title = "Gateway"
    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True)

    host: str = Field(default="127.0.0.1", description="Address the gateway listens on.")
    port: int = Field(default=8005, ge=1, le=65535, description="Port the gateway listens on.")
    api_key: SecretStr | None = Field(
        default=None, description="Key with all rights to the images API. `up` makes one where none is given."
    )
    api_keys_file: Path | None = Field(
        default=None, description="TOML file with further keys and their permissions, see “Access”."
    )
    admin_user: str = Field(default="admin", description="User of the ImageConverter API's guarded operations.")
    admin_password: SecretStr | None = Field(
        default=None, description="Password of that user. `up` makes one where none is given."
    )
    login_failures: int = Field(
        default=20,
        ge=1,
        description="Wrong passwords and keys that one address may present within 5 minutes; over it 429.",
    )
    trusted_proxies: int = Field(
        default=0,
        ge=0,
        le=16,
        description="Proxies in a row before the gateway, each of which adds the address it is asked from to "
        "`X-Forwarded-For`. 0: neither that header nor `X-Forwarded-Proto` is believed.",
    )
    content_host: str = Field(
        default="",
        description="Host (and path) under which clients reach the converted pictures, for the answers of "
        "`images/url`. Empty: the gateway's own `HOST:PORT/content`.",
    )
    content_max_age: int = Field(
        default=3600, ge=0, description="Time that browsers and proxies may keep a converted picture, in seconds."
    )
    subshops: str = Field(
        default="default", description="Ids of the subshops, separated by commas; the first is the default."
    )
    max_upload_mb: int = Field(
        default=64, ge=1, le=1024, description="Largest upload, all its pictures together, in MiB; over it 413."
    )
    upload_memory_mb: int = Field(
        default=512, ge=1, description="Memory for request bodies in flight, in MiB; further uploads wait."
    )
    body_seconds: float = Field(
        default=60, gt=0, description="Time a client has to send its request's body, in seconds."
    )
    liveness_port: int = Field(
        default=0, ge=0, le=65535, description="Further port that answers `GET /health/liveness` only; 0: none."
    )
    wait_seconds: float = Field(
        default=30, gt=0, description="Time a client waits for its conversion before it gets 503, in seconds."
    )

    start_seconds: float = Field(
        default=1.5, ge=0, description="Time that `convert/start` waits for a small run to finish, in seconds."
    )

    @property
    def subshop_ids(self) -> list[str]:
        """The configured subshops, the default first."""
        return [each.strip() for each in self.subshops.split(",") if each.strip()]

    @property
    def content_base(self) -> str:
        """Host and path of public content, without scheme and trailing slash."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        given = self.content_host.split("://", 1)[-1].strip("/")
        return given or f"{host}:{self.port}/content"


class Redis(_Part):
    """The Redis that holds queues, progress and counters."""

    title = "Redis"
    model_config = SettingsConfigDict(env_prefix=PREFIX + "REDIS_", env_ignore_empty=True, frozen=True)

    url: SecretStr | None = Field(
        default=None,
        description="`redis://[user:password@]host:port/db`, `rediss://…` or `unix://…`. "
        "Not given: `up` starts its own.",
    )
    timeout_seconds: float = Field(
        default=2, gt=0, le=30, description="Time a command may take before Redis counts as away, in seconds."
    )


class Storage(_Part):
    """The S3-compatible object store."""

    title = "Object store (S3)"
    model_config = SettingsConfigDict(env_prefix=PREFIX + "S3_", env_ignore_empty=True, frozen=True)

    endpoint: str | None = Field(
        default=None, description="Address of the S3 API, `http(s)://host:port`. Not given: `up` starts its own."
    )
    bucket: str = Field(
        default="imageconverter", min_length=3, max_length=63, description="Bucket; made where it does not exist."
    )
    region: str = Field(default="us-east-1", description="Region that requests are signed for.")
    access_key: SecretStr | None = Field(default=None, description="Access key id.")
    secret_key: SecretStr | None = Field(default=None, description="Secret access key.")
    timeout_seconds: float = Field(
        default=4,
        gt=0,
        le=60,
        description="Time a request may take, retries included, before the store counts as away, in seconds; "
        "big objects get a second more for each 4 MiB.",
    )

    @field_validator("endpoint")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value.rstrip("/") if value else value


class Conversion(_Part):
    """Formats, queue lengths and what one picture may cost."""

    title = "Conversion"
    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True)

    formats_file: Path | None = Field(
        default=None, description="TOML file with the image formats. Not given: the shipped defaults."
    )
    max_megapixels: int = Field(
        default=100, ge=1, le=178, description="Largest source picture, in millions of pixels."
    )
    max_source_mb: int = Field(
        default=256, ge=1, le=2048, description="Largest source file that a worker reads, in MiB."
    )
    max_interactive_queue: int = Field(
        default=128, ge=1, description="Conversions that clients wait for, running ones included; over it 503."
    )
    upload_hours: float = Field(
        default=24, gt=0, description="Time after which staged uploads are deleted, in hours."
    )

    @property
    def max_source_bytes(self) -> int:
        """The limit of `max_source_mb` in bytes."""
        return self.max_source_mb * MEGABYTE

    @property
    def max_pixels(self) -> int:
        """The limit of `max_megapixels` in pixels."""
        return self.max_megapixels * 1_000_000


class Worker(_Part):
    """How a worker carries out conversions."""

    title = "Worker"
    model_config = SettingsConfigDict(env_prefix=PREFIX + "WORKER_", env_ignore_empty=True, frozen=True)

    children: int = Field(
        default=0, ge=0, le=256, description="Converting child processes. 0: one for each usable core."
    )
    memory_mb: int = Field(
        default=1024,
        ge=256,
        description="Memory that one picture may take, in MiB; one that needs more is refused.",
    )
    timeout_seconds: float = Field(
        default=30, gt=0, le=600, description="Time one picture may take before its child is killed, in seconds."
    )
    pictures_per_child: int = Field(
        default=500, ge=1, description="Pictures after which a child is replaced by a fresh one."
    )
    sandbox: Literal["prefer", "require"] = Field(
        default="prefer",
        description="Where system calls of a child cannot be filtered: `prefer` says so in the log and goes on, "
        "`require` does not start.",
    )

    @property
    def child_count(self) -> int:
        """The number of children to keep."""
        return self.children or len(os.sched_getaffinity(0))


class Previews(_Part):
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
        description="Whether the first request for a picture has it made in the other formats as well; "
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


class Reports(_Part):
    """Where the catalogues of the shop come from, when reports are made, and what a clean-up may take away."""

    title = "Reports and clean-up"
    model_config = SettingsConfigDict(env_prefix=PREFIX + "REPORT_", env_ignore_empty=True, frozen=True)

    schedule: str = Field(
        default="",
        description="When reports are made: a cron expression of five fields in the reporter's local time, such as "
        "`30 3 * * *`. Empty: only when asked for.",
    )
    products_source: SecretStr | None = Field(
        default=None,
        description="Where the catalogue of products is read from when a report is made: `s3:KEY`, `http(s)://…`, "
        "`postgresql://USER:PASSWORD@HOST/DATABASE` or `mysql://…`. Not given: what was uploaded last counts.",
    )
    products_query: str = Field(
        default="", description="For a database: the SELECT of columns `id`, `active` and `images` (or `image`)."
    )
    categories_source: SecretStr | None = Field(default=None, description="Likewise for categories.")
    categories_query: str = Field(default="", description="Likewise for categories.")
    app_images_source: SecretStr | None = Field(default=None, description="Likewise for app images.")
    app_images_query: str = Field(default="", description="Likewise for app images.")
    private_hosts: str = Field(
        default="",
        description="Hosts with private addresses that a feed may be read from all the same, separated by commas.",
    )
    max_catalog_mb: int = Field(
        default=2048, ge=1, description="Largest catalogue as text, uploaded or read from a source, in MiB."
    )
    source_seconds: float = Field(
        default=900, gt=0, description="Time that sending or reading a catalogue may take in all, in seconds."
    )
    keep: int = Field(default=14, ge=1, le=1000, description="Reports of each type that are kept.")
    grace_days: float = Field(
        default=7,
        ge=0,
        description="Time that lies at least between the two reports which a file has to be unused in before a "
        "clean-up takes it, in days.",
    )
    max_share: float = Field(
        default=0.2,
        ge=0,
        le=1,
        description="Share of all files that a clean-up may take at once without an explicit word.",
    )
    trash_days: float = Field(
        default=30, gt=0, description="Time after which what a clean-up took away is deleted for good, in days."
    )
    folder: Path | None = Field(
        default=None, description="Folder for the reporter's work files. Not given: the system's temporary one."
    )
    memory_mb: int = Field(
        default=256, ge=64, description="Memory for comparing, in MiB; the reporter needs some 150 MiB besides."
    )
    disk_mb: int = Field(
        default=16_384, ge=64, description="What may be moved from memory to the folder while comparing, in MiB."
    )
    threads: int = Field(default=2, ge=1, le=64, description="Threads that compare.")

    @field_validator("schedule")
    @classmethod
    def _is_schedule(cls, value: str) -> str:
        try:
            if value and (len(value.split()) != 5 or CronSim(value, datetime.now(UTC)) is None):  # noqa: PLR2004
                raise ValueError("is no cron expression of five fields")
        except CronSimError as error:
            raise ValueError(f"is no cron expression: {error}") from None
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
        return [each.strip() for each in self.private_hosts.split(",") if each.strip()]


class Process(_Part):
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


@dataclass(frozen=True)
class Settings:
    """Every part's settings. Each part of the program is handed its own part only."""

    gateway: Gateway
    redis: Redis
    storage: Storage
    conversion: Conversion
    worker: Worker
    previews: Previews
    reports: Reports
    process: Process


class Variable(NamedTuple):
    """One environment variable, for documents and messages."""

    name: str
    part: str
    default: str
    description: str


_PARTS: dict[str, type[_Part]] = {
    "gateway": Gateway,
    "redis": Redis,
    "storage": Storage,
    "conversion": Conversion,
    "worker": Worker,
    "previews": Previews,
    "reports": Reports,
    "process": Process,
}


def load_settings() -> Settings:
    """Read and check all settings; raises SettingsError that names each variable at fault."""
    parts: dict[str, Any] = {}
    faults: list[str] = []
    secrets = SECRETS_DIR if SECRETS_DIR.is_dir() else None
    for name, part in _PARTS.items():
        try:
            parts[name] = part(_secrets_dir=secrets)
        except ValidationError as error:
            prefix = part.model_config["env_prefix"]
            faults += [
                f"{prefix}{str(each['loc'][0]).upper()}: {each['msg']}" for each in error.errors(include_input=False)
            ]
    if faults:
        raise SettingsError("\n".join(faults))
    return Settings(**parts)


def variables() -> Iterator[Variable]:
    """All environment variables in the order of the documents."""
    for part in _PARTS.values():
        prefix = part.model_config["env_prefix"]
        for name, field in part.model_fields.items():
            yield Variable(prefix + name.upper(), part.title, _shown(field), field.description or "")


def settings_table() -> str:
    """Return all settings as Markdown: a table for each part."""
    lines: list[str] = []
    part = ""
    for variable in variables():
        if variable.part != part:
            part = variable.part
            lines += ["", f"### {part}", "", "| variable | default | meaning |", "|---|---|---|"]
        default = f"`{variable.default}`" if variable.default else ""
        lines.append(f"| `{variable.name}` | {default} | {variable.description} |")
    return "\n".join(lines[1:])


def unknown_variables() -> list[str]:
    """Variables of the environment that have our prefix but no meaning: most likely a slip of the pen."""
    known = {variable.name for variable in variables()}
    return sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)


def child_environment(overrides: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for a process that this one starts: its own, with *overrides*."""
    return {**os.environ, **overrides}


def _shown(field: FieldInfo) -> str:
    return "" if field.default is None else str(field.default)
