"""A catalog as it is kept: how much there is of it, and in how many files."""

from pydantic import AliasChoices, AwareDatetime, BaseModel, ConfigDict, Field


class CatalogVersion(BaseModel):
    """One catalog of a shop; it never changes, a newer one takes its place."""

    model_config = ConfigDict(frozen=True, serialize_by_alias=True)

    version: str
    """Sorts by time."""
    entries: int
    images: int
    """Names in active entries; one that several entries have counts several times."""
    at: AwareDatetime
    received_at: AwareDatetime = Field(
        validation_alias=AliasChoices("received_at", "came"), serialization_alias="came"
    )
    """When it was received, or began to be read: of two, the one that came later counts."""
    bytes: int
    """Of all parts together."""
    parts: int


def part_name(number: int) -> str:
    """Return the name of the file with the *number*-th part of the entries, counted from 0."""
    return f"entries-{number:05}.parquet"
