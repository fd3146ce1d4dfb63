"""The summary of a report, and when a report refuses to name unused files."""

from typing import NamedTuple

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

_MIN_SHARE = 0.5


class CatalogSize(NamedTuple):
    """The size of a catalog."""

    entries: int
    images: int
    """Names in active entries; a name in several entries counts several times."""


class Found(BaseModel):
    """Number of rows for one format."""

    model_config = ConfigDict(frozen=True)

    missing: int = 0
    unused: int = 0
    unused_bytes: int = 0
    """Total size of the unused files."""


class DirectoryTotals(BaseModel):
    """What one directory has."""

    model_config = ConfigDict(frozen=True)

    files: int = 0
    bytes: int = 0
    """Total size of the files."""
    missing: int = 0
    """Missing files, those of all formats with this directory."""
    unused: int = 0
    unused_bytes: int = 0
    """Total size of the unused files."""
    subshops: tuple[str, ...] = ()
    """Ids of those that have images there; none if there is one subshop, and in reports of earlier releases."""


class SimilarTotals(BaseModel):
    """What was compared, and what looks alike."""

    model_config = ConfigDict(frozen=True)

    compared: int = 0
    """Sources whose facts are known and that have enough contrast to be compared."""
    groups: int = 0
    images: int = 0
    """Sources in the groups."""


class Summary(BaseModel):
    """The totals of a report."""

    model_config = ConfigDict(frozen=True, serialize_by_alias=True)

    catalog: CatalogSize = Field(
        validation_alias=AliasChoices("catalog", "catalogue"), serialization_alias="catalogue"
    )
    files: int
    """Files in the directories of the formats."""
    file_bytes: int
    ignored: int = Field(validation_alias=AliasChoices("ignored", "passed_over"), serialization_alias="passed_over")
    """Objects below the directories that no conversion writes: in subfolders, or with other names."""
    missing: int
    missing_but_near: int
    """Number of these with a file that differs only in case or image extension."""
    unused: int
    unused_bytes: int
    formats: dict[str, Found]
    """By node id; "" for unused files that may be of several formats."""
    directories: dict[str, DirectoryTotals] = {}
    """By path in the target tree; empty in reports of earlier releases."""
    unused_refused: str
    """Why no files are reported as unused, or ""."""
    shared_directories: tuple[str, ...]
    """Directories whose files are never reported as unused, because a format of another type uses them too."""
    similar: SimilarTotals = SimilarTotals()
    """Nothing in reports of earlier releases."""


def reason_to_refuse(size: CatalogSize, previous: CatalogSize | None) -> str:
    """Return why a catalog of *size* is too small to report files as unused, or ""; *previous* is its former size.

    Exporting half a catalog by mistake must not delete the images of the other half.
    """
    if not size.images:
        return "No active entry of the catalog names an image."
    if previous is None:
        return ""
    for what, now, before in zip(CatalogSize._fields, size, previous, strict=True):
        if now < before * _MIN_SHARE:
            return f"The catalog has {now} {what}, less than half of the previous {before}."
    return ""
