"""The base class of the settings, their error, and how a setting lists several values."""

from typing import ClassVar, Final

from pydantic_settings import BaseSettings

from imageconverter.invalid_configuration import InvalidConfiguration

PREFIX: Final = "IMAGECONVERTER_"
MEGABYTE: Final = 1024 * 1024


class SettingsError(InvalidConfiguration):
    """Invalid settings; the message has one line for each variable."""


class Part(BaseSettings):
    """The settings of one part."""

    title: ClassVar[str]


def split_list(text: str) -> list[str]:
    """Return the entries of a setting whose entries are separated by commas."""
    return [each.strip() for each in text.split(",") if each.strip()]
