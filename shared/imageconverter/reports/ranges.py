"""Listing a directory of millions of files in several ranges concurrently."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from typing import Final

from imageconverter.errors import StoreUnavailable
from imageconverter.storage.store import ObjectStore, StoredObject

_SEPARATOR: Final = "/"
_PAUSES: Final = (0.5, 2.0, 5.0)  # seconds before each retry; a listing of ten thousand pages must not start over


async def list_ranges(store: ObjectStore, prefix: str, bounds: Sequence[str]) -> AsyncIterator[list[StoredObject]]:
    """List all objects below *prefix* (which ends in a slash) in pages, the ranges between *bounds* concurrently.

    *bounds* are keys directly below the prefix, which need not exist. Pages are yielded in no particular order, and
    each object once. A listing that fails is resumed; raises StoreUnavailable after several failures in a row.
    """
    apart = _folders_at(prefix, bounds)
    listings = [
        *(_range(store, prefix, after, until, apart) for after, until in pairwise(["", *sorted(set(bounds)), ""])),
        *(_pages(store, folder) for folder in apart),
    ]
    # The next page of each listing is fetched while the caller processes a page.
    fetching = {asyncio.ensure_future(anext(each, None)): each for each in listings}
    try:
        while fetching:
            done, _ = await asyncio.wait(fetching, return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                page = each.result()
                listing = fetching.pop(each)
                if page is not None:
                    fetching[asyncio.ensure_future(anext(listing, None))] = listing
                    yield page
    finally:
        for each in fetching:
            each.cancel()
        await asyncio.gather(*fetching, return_exceptions=True)


def _folders_at(prefix: str, bounds: Sequence[str]) -> tuple[str, ...]:
    """Return the folders that sort before a bound in one store and after it in another.

    S3 sorts keys by their bytes. SeaweedFS sorts a folder by its name without the slash, so ``a/b`` before ``a-b``.
    The orders differ if a bound starts with the folder's name, followed by a character that sorts before the slash.
    """
    names = [bound.removeprefix(prefix) for bound in bounds]
    ends = {name[:end] for name in names for end in range(1, len(name) + 1) if name[end : end + 1] < _SEPARATOR}
    return tuple(f"{prefix}{end}{_SEPARATOR}" for end in sorted(ends))


async def _range(
    store: ObjectStore, prefix: str, after: str, until: str, apart: tuple[str, ...]
) -> AsyncIterator[list[StoredObject]]:
    """List the keys after *after* up to *until*, each "" for no bound, without the folders *apart*."""
    async for page in _pages(store, prefix, after):
        within = [each for each in page if not each.key.startswith(apart)]
        yield [each for each in within if not until or each.key <= until]
        if until and within and within[-1].key >= until:
            return


async def _pages(store: ObjectStore, prefix: str, after: str = "") -> AsyncIterator[list[StoredObject]]:
    """List all keys after *after*, in the order of the store."""
    pauses = iter(_PAUSES)
    while True:
        try:
            async for page in store.list(prefix, after=after):
                yield page
                if page:
                    after, pauses = page[-1].key, iter(_PAUSES)
        except StoreUnavailable:
            pause = next(pauses, None)
            if pause is None:
                raise
            await asyncio.sleep(pause)
        else:
            return
