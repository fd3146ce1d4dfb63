"""What a report says as a whole, and when it does not dare to call a file unused."""

from typing import NamedTuple

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

_MIN_SHARE = 0.5


class CatalogSize(NamedTuple):
    """How much a catalog refers to."""

    entries: int
    images: int
    """Names in active entries; one that several entries have counts several times."""


class Found(BaseModel):
    """How many rows a report has for one format."""

    model_config = ConfigDict(frozen=True)

    missing: int = 0
    unused: int = 0
    unused_bytes: int = 0
    """What deleting them would free."""


class Summary(BaseModel):
    """A report but for its rows."""

    model_config = ConfigDict(frozen=True, serialize_by_alias=True)

    catalog: CatalogSize = Field(
        validation_alias=AliasChoices("catalog", "catalogue"), serialization_alias="catalogue"
    )
    files: int
    """In the directories of the formats."""
    file_bytes: int
    ignored: int = Field(validation_alias=AliasChoices("ignored", "passed_over"), serialization_alias="passed_over")
    """Objects below the directories that no conversion puts there: in folders of their own, or oddly named."""
    missing: int
    missing_but_near: int
    """Of these, how many have a file that differs only in case or in the extension of an image."""
    unused: int
    unused_bytes: int
    formats: dict[str, Found]
    """By node id; "" for unused files that could be of several formats."""
    unused_refused: str
    """Why no file at all is called unused, or ""."""
    shared_directories: tuple[str, ...]
    """Directories whose files are not called unused, because a format of another type writes there too."""


def reason_to_refuse(size: CatalogSize, previous: CatalogSize | None) -> str:
    """Return why *size* is too small to call files unused, "" where it is not; *previous* is what it was before.

    Whoever exports half a catalog by mistake must not lose the images of the other half.
    """
    if not size.images:
        return "No active entry of the catalog names an image."
    if previous is None:
        return ""
    for what, now, before in zip(CatalogSize._fields, size, previous, strict=True):
        if now < before * _MIN_SHARE:
            return f"The catalog has {now} {what}, less than half of the {before} that it had before."
    return ""
