"""Directory trees over the keys of the object store, empty directories included.

A directory exists where a file lies below it or where a marker does. The marker is a small object of a
reserved name in the directory, not an empty object whose key ends in a slash: clients fold such keys, and
stores treat them differently. Existence is always decided from keys, never from a store's common prefixes,
which SeaweedFS goes on listing after the last file was deleted.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from imageconverter import keys
from imageconverter.errors import InvalidValue, NotFound
from imageconverter.images.focal_points import delete_points_below
from imageconverter.images.names import directory_path
from imageconverter.images.source_facts import delete_facts_below
from imageconverter.images.variants import delete_variants_below
from imageconverter.storage.store import ObjectStore, StoredObject

Root = Literal["source", "target"]

MARKER = ".directory"
_MARKER_TEXT = b"An empty directory of imageconverter.\n"  # not empty: some stores and clients stumble on that
_RESERVED = "That name is reserved."
PREFIXES: dict[Root, str] = {"source": keys.SOURCE, "target": keys.TARGET}


@dataclass
class Directory:
    """One directory and those in it, in the order of their names."""

    name: str
    path: str
    """Relative to its root, without slashes at the ends."""
    children: dict[str, "Directory"] = field(default_factory=dict)


async def tree(store: ObjectStore, root: Root) -> list[Directory]:
    """Return the directories at the top of *root* with all below them, in one listing pass.

    The directory of staged uploads is omitted.
    """
    top = Directory("", "")
    prefix = PREFIXES[root]
    async for page in store.list(prefix):
        for stored in page:
            # An empty object is the marker of another tool: its own key is a directory.
            *parents, last = stored.key.removeprefix(prefix).split("/")
            _add(top, parents if stored.size else [*parents, last])
    if root == "source":
        top.children.pop(keys.UPLOADS, None)
    return list(top.children.values())


async def create(store: ObjectStore, root: Root, path: str) -> None:
    """Make the directory at *path* and its parents; one that is there already stays as it is.

    Raises InvalidValue if the path is unsafe or reserved, or if a file or the uploads are in its way.
    """
    checked = _checked(root, path)
    if root == "target" and checked.split("/")[0] == keys.SIGNED:
        raise InvalidValue(_RESERVED, field="path")
    for parent in ancestry(checked):
        if await store.head(PREFIXES[root] + parent) is not None:
            raise InvalidValue("There is a file of that name.", field="path")
    await store.put(f"{PREFIXES[root]}{checked}/{MARKER}", _MARKER_TEXT, content_type="text/plain")


async def remove(
    store: ObjectStore,
    root: Root,
    path: str,
    *,
    delete: Callable[[Sequence[StoredObject]], Awaitable[object]] | None = None,
) -> None:
    """Delete the directory at *path* with everything in it; raises NotFound if there is none.

    Its parent stays, as an empty directory if need be. *delete* is called with its objects, in pages, instead of
    deleting them permanently.
    """
    checked = _checked(root, path)
    if not await exists(store, root, checked):
        raise NotFound("There is no such directory.")
    parent = checked.rpartition("/")[0]
    if parent:
        await store.put(f"{PREFIXES[root]}{parent}/{MARKER}", _MARKER_TEXT, content_type="text/plain")
    async for page in store.list(f"{PREFIXES[root]}{checked}/"):
        await (delete(page) if delete else store.delete(stored.key for stored in page))
    if root == "target":
        await delete_variants_below(store, checked)
    else:
        await delete_facts_below(store, checked)
        if delete is None:
            await delete_points_below(store, checked)


async def exists(store: ObjectStore, root: Root, path: str) -> bool:
    """Whether there is a directory at *path*, which has to be safe."""
    async for _ in store.list(prefix(root, path)):
        return True
    return False


def prefix(root: Root, path: str) -> str:
    """Return what the keys of all objects in the directory at *path* begin with."""
    return f"{PREFIXES[root]}{path}/"


async def files(store: ObjectStore, root: Root, path: str, *, after: str = "") -> AsyncIterator[list[StoredObject]]:
    """List the files below *path* in pages, in the order of their keys, from behind the key *after* on."""
    async for page in store.list(prefix(root, path), after=after):
        yield [stored for stored in page if is_file(stored)]


def is_file(stored: StoredObject) -> bool:
    """Whether an object below a root is a file, and neither our marker of a directory nor that of another tool."""
    return stored.size > 0 and not stored.key.endswith(f"/{MARKER}")


def _add(directory: Directory, names: list[str]) -> None:
    for name in names:
        path = f"{directory.path}/{name}" if directory.path else name
        directory = directory.children.setdefault(name, Directory(name, path))


def _checked(root: Root, path: str) -> str:
    checked = directory_path(path)
    segments = checked.split("/")
    if MARKER in segments or (root == "source" and segments[0] == keys.UPLOADS):
        raise InvalidValue(_RESERVED, field="path")
    return checked


def ancestry(path: str) -> list[str]:
    """Return the paths of the directories above *path*, from the top, and *path* itself."""
    segments = path.split("/")
    return ["/".join(segments[:length]) for length in range(1, len(segments) + 1)]
