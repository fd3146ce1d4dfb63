"""Loading all settings from the environment and secret files; the only module that reads `os.environ`."""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from pydantic import ValidationError

from imageconverter.settings.conversion import ConversionSettings
from imageconverter.settings.gateway import GatewaySettings
from imageconverter.settings.part import PREFIX, Part, SettingsError
from imageconverter.settings.previews import PreviewSettings
from imageconverter.settings.process import ProcessSettings
from imageconverter.settings.redis import RedisSettings
from imageconverter.settings.reports import ReportSettings
from imageconverter.settings.signed_urls import SignedUrlSettings
from imageconverter.settings.storage import StorageSettings
from imageconverter.settings.webhooks import WebhookSettings
from imageconverter.settings.worker import WorkerSettings

SECRETS_DIR: Final = Path("/run/secrets")  # where Docker and Kubernetes mount them, lower-case names

PARTS: Final[dict[str, type[Part]]] = {
    "gateway": GatewaySettings,
    "redis": RedisSettings,
    "storage": StorageSettings,
    "conversion": ConversionSettings,
    "worker": WorkerSettings,
    "previews": PreviewSettings,
    "signed_urls": SignedUrlSettings,
    "reports": ReportSettings,
    "webhooks": WebhookSettings,
    "process": ProcessSettings,
}


@dataclass(frozen=True)
class Settings:
    """The settings of all parts; each part of the program receives only its own."""

    gateway: GatewaySettings
    redis: RedisSettings
    storage: StorageSettings
    conversion: ConversionSettings
    worker: WorkerSettings
    previews: PreviewSettings
    signed_urls: SignedUrlSettings
    reports: ReportSettings
    webhooks: WebhookSettings
    process: ProcessSettings


def load_settings(overrides: Mapping[str, str] = MappingProxyType({})) -> Settings:
    """Load and validate all settings; raises SettingsError that names each invalid variable.

    *overrides* are values of variables that replace those of the environment.
    """
    parts: dict[str, Any] = {}
    errors: list[str] = []
    secrets = SECRETS_DIR if SECRETS_DIR.is_dir() else None
    for name, part in PARTS.items():
        prefix = part.model_config["env_prefix"]
        given: dict[str, Any] = {
            field: overrides[prefix + field.upper()]
            for field in part.model_fields
            if prefix + field.upper() in overrides
        }
        try:
            parts[name] = part(_secrets_dir=secrets, **given)
        except ValidationError as error:
            errors += [
                f"{prefix}{str(each['loc'][0]).upper()}: {each['msg']}" for each in error.errors(include_input=False)
            ]
    if errors:
        raise SettingsError("\n".join(errors))
    return Settings(**parts)


def unknown_variables() -> list[str]:
    """Return the environment variables with the prefix that are not settings, which are probably typos."""
    known = {part.model_config["env_prefix"] + name.upper() for part in PARTS.values() for name in part.model_fields}
    return sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)


def child_environment(overrides: Mapping[str, str], *, without: Collection[str] = ()) -> dict[str, str]:
    """Return the environment of a child process: that of this process, with *overrides* and *without* some names."""
    return {name: value for name, value in {**os.environ, **overrides}.items() if name not in without}


def wants_color() -> bool:
    """Whether output on a terminal may have colors (https://no-color.org)."""
    return not os.environ.get("NO_COLOR")
