"""The settings, one module for each part; environment variables that start with ``IMAGECONVERTER_``."""

from imageconverter.settings.conversion import ConversionSettings
from imageconverter.settings.gateway import GatewaySettings
from imageconverter.settings.loading import Settings, child_environment, load_settings, unknown_variables, wants_color
from imageconverter.settings.part import MEGABYTE, PREFIX, SettingsError
from imageconverter.settings.previews import PreviewSettings
from imageconverter.settings.process import ProcessSettings
from imageconverter.settings.redis import RedisSettings
from imageconverter.settings.reports import ReportSettings
from imageconverter.settings.signed_urls import SignedUrlSettings
from imageconverter.settings.storage import StorageSettings
from imageconverter.settings.table import settings_table, variables
from imageconverter.settings.webhooks import WebhookSettings
from imageconverter.settings.worker import WorkerSettings

__all__ = [
    "MEGABYTE",
    "PREFIX",
    "ConversionSettings",
    "GatewaySettings",
    "PreviewSettings",
    "ProcessSettings",
    "RedisSettings",
    "ReportSettings",
    "Settings",
    "SettingsError",
    "SignedUrlSettings",
    "StorageSettings",
    "WebhookSettings",
    "WorkerSettings",
    "child_environment",
    "load_settings",
    "settings_table",
    "unknown_variables",
    "variables",
    "wants_color",
]
