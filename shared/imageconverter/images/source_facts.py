"""The stored facts of sources: one small object for each, beside the source tree, with the ETag that they are of."""

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, ValidationError

from imageconverter import keys
from imageconverter.engine.facts import FACTS_VERSION, Facts
from imageconverter.storage.bulk_delete import delete_below
from imageconverter.storage.store import LoadedObject, ObjectStore, StoredObject


class StoredFacts(BaseModel):
    """The facts of a source, or why it has none."""

    model_config = ConfigDict(frozen=True)

    etag: str
    """Of the source."""
    version: int = FACTS_VERSION
    facts: Facts | None = None
    reason: str = ""


def keeps_facts(path: str) -> bool:
    """Whether facts of the source at *path* are stored; not those of staged uploads, which are deleted soon."""
    return not path.startswith(f"{keys.UPLOADS}/")


async def find_facts(store: ObjectStore, source: StoredObject) -> StoredFacts | None:
    """Return what is known of a *source* as it is now; None if nothing is. Raises StoreUnavailable."""
    found = parse_facts(await store.get(keys.facts(source.key.removeprefix(keys.SOURCE))))
    return found if found is not None and found.etag == source.etag else None


def parse_facts(loaded: LoadedObject | None) -> StoredFacts | None:
    """Return stored facts; None if there are none, or if an earlier or later release has made them otherwise."""
    if loaded is None:
        return None
    try:
        found = StoredFacts.model_validate_json(bytes(loaded.data))
    except ValidationError:
        return None
    return found if found.version == FACTS_VERSION else None


async def put_facts(store: ObjectStore, path: str, found: StoredFacts) -> None:
    """Store what is known of the source at *path*, in place of what was known of another one there."""
    text = found.model_dump_json(exclude_none=True)
    await store.put(keys.facts(path), text.encode(), content_type="application/json")


async def delete_facts(store: ObjectStore, paths: Iterable[str]) -> None:
    """Delete what is known of sources that are not there any more."""
    await store.delete(map(keys.facts, paths))


async def delete_facts_below(store: ObjectStore, directory: str) -> None:
    """Delete what is known of all sources in a *directory*."""
    await delete_below(store, keys.facts(f"{directory}/"))
