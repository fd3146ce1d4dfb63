"""Listings of a directory of the source or target tree, in pages."""

from bisect import bisect_right
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from imageconverter import keys
from imageconverter.images.directories import PREFIXES, Root, is_file
from imageconverter.images.names import directory_path, file_name
from imageconverter.storage.store import PAGE_SIZE, ObjectStore, StoredObject

_LAST: Final = "\U0010ffff"  # sorts behind all names
_MIN_FOUND: Final = 16
"""A page of a listing takes the store as long as that many single requests."""
_SURROGATES: Final = range(0xD800, 0xE000)  # which no name contains


@dataclass
class Page:
    """A part of a listing."""

    directories: list[str] = field(default_factory=list)
    """Paths."""
    files: list[StoredObject] = field(default_factory=list)
    cursor: str = ""
    """Where the next page starts; "" if this is the last one."""


async def list_page(
    store: ObjectStore, root: Root, directory: str, *, after: str, size: int, recursive: bool = False, begin: str = ""
) -> Page:
    """List up to *size* files and directories in *directory*, "" for the root, in the order of their names.

    Starts after the cursor *after*, and lists only names that begin with *begin*. If it is *recursive*, the files in
    all directories below are listed, and no directories. The uploads are listed only by themselves. Raises
    InvalidValue for a cursor or a beginning that no name can have.
    """
    prefix = PREFIXES[root] + (f"{directory}/" if directory else "")
    begin = file_name(f"_{begin}_", field="prefix")[1:-1]
    page, start = Page(), max(_key_after(prefix, after), _key_before(prefix, begin))
    async for stored in _entries(store, prefix, start, recursive=recursive):
        if not stored.key.startswith(prefix + begin):
            break
        name, _, below = stored.key.removeprefix(prefix).partition("/")
        is_directory = bool(below) and not recursive
        if not (is_directory or is_file(stored)):
            continue
        if len(page.files) + len(page.directories) == size:
            return page
        if is_directory:
            page.cursor = f"{name}/"
            page.directories.append((prefix + name).removeprefix(PREFIXES[root]))
        else:
            page.cursor = stored.key.removeprefix(prefix)
            page.files.append(stored)
    page.cursor = ""
    return page


async def find_files(store: ObjectStore, prefix: str, names: Sequence[str]) -> dict[str, StoredObject]:
    """Return the objects of these *names*, which are sorted, below *prefix*, by pages of a listing.

    Stops where a page contains few of them, because of many others between them: then some files are not found.
    """
    position = 0
    found: dict[str, StoredObject] = {}
    while position < len(names):
        page: list[StoredObject] = []
        async for page in store.list(prefix, after=_key_before(prefix, names[position])):  # noqa: B007 - the first one
            break
        listed = {stored.key.removeprefix(prefix): stored for stored in page}
        is_last = len(page) < PAGE_SIZE
        end = len(names) if is_last else bisect_right(names, page[-1].key.removeprefix(prefix), lo=position)
        found |= {name: listed[name] for name in names[position:end] if name in listed}
        if end - position < _MIN_FOUND:
            break
        position = end
    return found


def _key_after(prefix: str, cursor: str) -> str:
    """Return the key after which a listing continues: of a directory, that is behind all that it contains."""
    if cursor:
        directory_path(cursor.removesuffix("/"), field="cursor")
    return prefix + cursor + (_LAST if cursor.endswith("/") else "") if cursor else ""


def _key_before(prefix: str, begin: str) -> str:
    """Return a key between the names that begin with *begin* and those before them."""
    if not begin:
        return ""
    last = ord(begin[-1]) - 1
    return prefix + begin[:-1] + chr(_SURROGATES[0] - 1 if last in _SURROGATES else last) + _LAST


async def _entries(store: ObjectStore, prefix: str, after: str, *, recursive: bool) -> AsyncIterator[StoredObject]:
    """Yield the objects behind the key *after*; unless it is *recursive*, of each directory only the first one."""
    while True:
        passed_over = ""
        async for page in store.list(prefix, after=after):
            for stored in page:
                if passed_over and stored.key.startswith(passed_over):
                    continue
                passed_over = ""
                name, slash, _ = stored.key.removeprefix(prefix).partition("/")
                is_reserved = prefix == keys.SOURCE and name == keys.UPLOADS
                if slash and (is_reserved or not recursive):
                    passed_over = f"{prefix}{name}/"
                if not is_reserved:
                    yield stored
            if passed_over:  # the rest of a directory may be large
                break
        else:
            return
        after = passed_over + _LAST
