"""The facts of sources as rows for the database: only those of sources as they are now."""

import base64
from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from imageconverter import keys
from imageconverter.catalog.database import quote_csv
from imageconverter.engine.facts import Facts
from imageconverter.images.directories import files
from imageconverter.images.image_formats import ImageFormat, ImageType
from imageconverter.images.source_facts import parse_facts
from imageconverter.images.subshops import Subshops
from imageconverter.storage.bounded import bounded
from imageconverter.storage.store import ObjectStore, StoredObject

LOOKS: Final = (
    "{path: 'VARCHAR', etag: 'VARCHAR', hash: 'UBIGINT', light: 'TINYINT', yellow: 'TINYINT', red: 'TINYINT', "
    "width: 'INTEGER', height: 'INTEGER'}"
)
SOURCES: Final = "{path: 'VARCHAR', etag: 'VARCHAR'}"
_HEX: Final = 16
_SIX_BITS: Final = 63


def source_directories(kind: ImageType, subshops: Subshops) -> list[str]:
    """Return the directories in which sources of a type usually are, none of them below another."""
    usual = {
        each.source_directory or _first_directory(each, subshops) for each in subshops.formats if each.type == kind
    }
    return sorted(each for each in usual if not any(each.startswith(f"{other}/") for other in usual))


def _first_directory(image_format: ImageFormat, subshops: Subshops) -> str:
    """Return the first part of a target directory, below the prefix of the subshop if it has one."""
    prefix = subshops.at_path(image_format.target_directory).target_prefix
    below = image_format.target_directory.removeprefix(f"{prefix}/" if prefix else "")
    return below.partition("/")[0]


async def write_looks(store: ObjectStore, directories: Sequence[str], path: Path) -> bool:
    """Write what the stored facts below *directories* say of looks to the CSV file *path*, with `LOOKS`.

    Returns whether there are any. Raises StoreUnavailable.
    """
    found = False
    with path.open("w", encoding="utf-8", newline="") as file:
        async for page in _pages(store, directories):
            found = True
            file.writelines(await bounded(partial(_look, store, stored) for stored in page))
    return found


async def write_sources(store: ObjectStore, directories: Sequence[str], path: Path) -> None:
    """Write the sources below *directories* to the CSV file *path*, with `SOURCES`; raises StoreUnavailable."""
    with path.open("w", encoding="utf-8", newline="") as file:
        for directory in directories:
            async for page in files(store, "source", directory):
                file.writelines(
                    f"{quote_csv(stored.key.removeprefix(keys.SOURCE))},{quote_csv(stored.etag)}\n" for stored in page
                )


async def _pages(store: ObjectStore, directories: Sequence[str]) -> AsyncIterator[list[StoredObject]]:
    for directory in directories:
        async for page in store.list(keys.facts(f"{directory}/")):
            yield page


async def _look(store: ObjectStore, stored: StoredObject) -> str:
    """Return the line of a source; without a hash if it has none, or nothing is known of it."""
    path = quote_csv(stored.key.removeprefix(keys.FACTS))
    found = parse_facts(await store.get(stored.key))
    if found is None or found.facts is None or not found.facts.perceptual_hash:
        return f"{path},,,,,,,\n"
    facts = found.facts
    columns = (int(facts.perceptual_hash, _HEX), *_average(facts), facts.width, facts.height)
    return f"{path},{quote_csv(found.etag)},{','.join(map(str, columns))}\n"


def _average(facts: Facts) -> tuple[int, int, int]:
    """Return the average color by the ThumbHash: light, yellow against blue, red against green; from 0 to 63."""
    header = int.from_bytes(base64.b64decode(facts.thumb_hash)[:3], "little")
    return header & _SIX_BITS, header >> 6 & _SIX_BITS, header >> 12 & _SIX_BITS
