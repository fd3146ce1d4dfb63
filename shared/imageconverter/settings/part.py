"""What all settings have in common: where they stand, and how a fault in them is told."""

from typing import ClassVar, Final

from pydantic_settings import BaseSettings

PREFIX: Final = "IMAGECONVERTER_"
MEGABYTE: Final = 1024 * 1024


class SettingsError(ValueError):
    """Settings that cannot be used; one line a variable."""


class Part(BaseSettings):
    """The settings of one part of the system."""

    title: ClassVar[str]
