"""The files of a directory as CSV for the database."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from imageconverter import keys
from imageconverter.catalog.database import quote_csv
from imageconverter.catalog.image_name import image_name
from imageconverter.errors import InvalidValue
from imageconverter.storage.store import StoredObject

Listing = Callable[[str, Sequence[str]], AsyncIterator[list[StoredObject]]]
"""Lists the files of a target directory in pages, in any order.

The given names divide the directory into ranges of about equal size, which may be listed concurrently.
"""

COLUMNS = "{name: 'VARCHAR', stored_name: 'VARCHAR', size: 'BIGINT', modified: 'BIGINT'}"


@dataclass
class Listed:
    """Number and size of the listed files."""

    files: int = 0
    bytes: int = 0
    ignored: int = 0
    """Objects in subfolders, or with names that no converted image has."""


async def write_listing(pages: AsyncIterator[list[StoredObject]], directory: str, path: Path) -> Listed:
    """Write the files directly in *directory*, as listed by *pages*, to the CSV file *path* with `COLUMNS`.

    ``name`` is in Unicode normal form C, ``stored_name`` is the name in the store if it differs, ``modified`` is in
    milliseconds since the epoch.
    """
    listed = Listed()
    prefix = len(keys.target(directory)) + 1
    with path.open("w", encoding="utf-8", newline="") as file:
        async for page in pages:
            rows = []
            for stored in page:
                name = stored.key[prefix:]
                try:
                    normal = image_name(name)
                except InvalidValue:
                    listed.ignored += 1
                    continue
                changed = "" if normal == name else quote_csv(name)
                milliseconds = round(stored.modified.timestamp() * 1000)
                rows.append(f"{quote_csv(normal)},{changed},{stored.size},{milliseconds}\n")
                listed.bytes += stored.size
            listed.files += len(rows)
            file.writelines(rows)
    return listed
