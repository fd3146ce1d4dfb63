"""A version of a catalog: its size and number of parts."""

from pydantic import AliasChoices, AwareDatetime, BaseModel, ConfigDict, Field


class CatalogVersion(BaseModel):
    """An immutable version of a catalog; an import replaces it by a newer one."""

    model_config = ConfigDict(frozen=True, serialize_by_alias=True)

    version: str
    """Name of the version; names sort by time."""
    entries: int
    images: int
    """Names in active entries; a name in several entries counts several times."""
    at: AwareDatetime
    received_at: AwareDatetime = Field(
        validation_alias=AliasChoices("received_at", "came"), serialization_alias="came"
    )
    """When it was received, or reading it began; the version received last is the current one."""
    bytes: int
    """Total size of the parts."""
    parts: int


def part_name(number: int) -> str:
    """Return the name of the file with the *number*-th part of the entries, counted from 0."""
    return f"entries-{number:05}.parquet"
