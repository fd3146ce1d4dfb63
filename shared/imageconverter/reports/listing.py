"""The files of a directory as text that the database reads."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from imageconverter import keys
from imageconverter.catalog.database import quote_csv
from imageconverter.catalog.image_name import image_name
from imageconverter.errors import InvalidValue
from imageconverter.storage.store import StoredObject

Listing = Callable[[str, Sequence[str]], AsyncIterator[list[StoredObject]]]
"""Lists the files of a target directory in pages, in any order; raises where it cannot go on.

The names that it is given part the directory evenly, so that it may list the parts at the same time.
"""

COLUMNS = "{name: 'VARCHAR', stored_name: 'VARCHAR', size: 'BIGINT', modified: 'BIGINT'}"


@dataclass
class Listed:
    """How many files were listed."""

    files: int = 0
    bytes: int = 0
    ignored: int = 0
    """Objects in folders below the directory or with names that no image of ours can have."""

    def __iadd__(self, other: "Listed") -> Self:
        """Count what is in another listing as well."""
        self.files += other.files
        self.bytes += other.bytes
        self.ignored += other.ignored
        return self


async def write_listing(pages: AsyncIterator[list[StoredObject]], directory: str, path: Path) -> Listed:
    """Write the files right in *directory*, which *pages* list, to the text file *path*, a row each: `COLUMNS`.

    ``name`` is in Unicode normal form C, ``stored_name`` is empty where the store has it like that too,
    ``modified`` is in milliseconds since 1970.
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
