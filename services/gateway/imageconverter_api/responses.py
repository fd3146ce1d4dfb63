"""Response models of the ImageConverter API. Lists of keys and metadata are streamed or forwarded as they are."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from services.gateway.http.responses import Count, NonEmpty, ResponseModel, optional

Key = Annotated[str, Field(pattern="^[0-9A-Za-z._-]{1,256}$")]


class Answer(ResponseModel):
    """The body of error responses, and of operations without a result."""

    code: Count
    """For programs; its meaning never changes."""
    message: NonEmpty
    """An English sentence for people."""


class KeyCount(ResponseModel):
    """The number of keys."""

    count: Count


class Keys(ResponseModel):
    """All keys, or those of a context."""

    keys: tuple[Key, ...]
    """Empty, not null, if there are none."""


class Entry(ResponseModel):
    """One tag of the metadata."""

    id: Count
    """The number of the tag."""
    value: Any
    """The value in the file: a number, a string, or a list of numbers."""
    description: str
    """The value as text for people."""


class Header(ResponseModel):
    """Type and extents of the image, by name."""

    model_config = ConfigDict(extra="allow", json_schema_extra={})

    __pydantic_extra__: dict[str, Entry]

    pixel_width: Entry = Field(alias="Header Pixel Width")
    pixel_height: Entry = Field(alias="Header Pixel Height")
    format_name: Entry = Field(alias="Header Format Name")


class Metadata(ResponseModel):
    """Groups of entries, by name. Groups without entries are omitted."""

    header: Header = Field(alias="Header")
    exif: dict[str, Entry] | None = optional("Exif")
    gps: dict[str, Entry] | None = optional("GPS")
    file: dict[str, Entry] | None = optional("File")
    thumbnail: dict[str, Entry] | None = optional("Thumbnail")
