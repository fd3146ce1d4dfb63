"""All settings, a file for each part of the program; environment variables that begin with ``IMAGECONVERTER_``."""

from imageconverter.settings.conversion import Conversion
from imageconverter.settings.gateway import Gateway
from imageconverter.settings.loading import Settings, child_environment, load_settings, unknown_variables
from imageconverter.settings.part import MEGABYTE, PREFIX, SettingsError
from imageconverter.settings.previews import Previews
from imageconverter.settings.process import Process
from imageconverter.settings.redis import Redis
from imageconverter.settings.reports import Reports
from imageconverter.settings.storage import Storage
from imageconverter.settings.table import settings_table, variables
from imageconverter.settings.worker import Worker

__all__ = [
    "MEGABYTE",
    "PREFIX",
    "Conversion",
    "Gateway",
    "Previews",
    "Process",
    "Redis",
    "Reports",
    "Settings",
    "SettingsError",
    "Storage",
    "Worker",
    "child_environment",
    "load_settings",
    "settings_table",
    "unknown_variables",
    "variables",
]
