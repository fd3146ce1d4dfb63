"""The base class of the settings, and their error."""

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
