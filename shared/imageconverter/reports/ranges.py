"""Listing a directory of millions in several ranges at a time; one listing after the other waits for every page."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from typing import Final

from imageconverter.errors import StoreUnavailable
from imageconverter.storage.store import ObjectStore, StoredObject

_SEPARATOR: Final = "/"
_PAUSES: Final = (0.5, 2.0, 5.0)  # seconds, before each further try; ten thousand pages are too many to begin again


async def list_ranges(store: ObjectStore, prefix: str, bounds: Sequence[str]) -> AsyncIterator[list[StoredObject]]:
    """List all objects below *prefix* (which ends in a slash) in pages, those of all ranges between *bounds* at once.

    *bounds* are keys right below the prefix, whether they exist or not; without any it is one listing. The pages come
    as they arrive, in no order, and every object comes once. A listing that breaks off goes on where it was. Raises
    StoreUnavailable where one fails again and again.
    """
    apart = _folders_at(prefix, bounds)
    listings = [
        *(_range(store, prefix, after, until, apart) for after, until in pairwise(["", *sorted(set(bounds)), ""])),
        *(_pages(store, folder) for folder in apart),
    ]
    # Of each listing the next page is on its way while one of another is worked on.
    coming = {asyncio.ensure_future(anext(each, None)): each for each in listings}
    try:
        while coming:
            arrived, _ = await asyncio.wait(coming, return_when=asyncio.FIRST_COMPLETED)
            for each in arrived:
                page = each.result()
                listing = coming.pop(each)
                if page is not None:
                    coming[asyncio.ensure_future(anext(listing, None))] = listing
                    yield page
    finally:
        for each in coming:
            each.cancel()
        await asyncio.gather(*coming, return_exceptions=True)


def _folders_at(prefix: str, bounds: Sequence[str]) -> tuple[str, ...]:
    """Return the folders that may lie on one side of a bound in one store, on the other side in another.

    S3 orders keys by their bytes. SeaweedFS has a folder where its name would be, and so ``a/b`` before ``a-b``. The
    two differ where the name of a folder is the beginning of a bound, and what follows comes before the slash.
    """
    names = [bound.removeprefix(prefix) for bound in bounds]
    ends = {name[:end] for name in names for end in range(1, len(name) + 1) if name[end : end + 1] < _SEPARATOR}
    return tuple(f"{prefix}{end}{_SEPARATOR}" for end in sorted(ends))


async def _range(
    store: ObjectStore, prefix: str, after: str, until: str, apart: tuple[str, ...]
) -> AsyncIterator[list[StoredObject]]:
    """List what comes behind the key *after* up to *until*, each "" for no bound, without the folders *apart*."""
    async for page in _pages(store, prefix, after):
        within = [each for each in page if not each.key.startswith(apart)]
        yield [each for each in within if not until or each.key <= until]
        if until and within and within[-1].key >= until:
            return


async def _pages(store: ObjectStore, prefix: str, after: str = "") -> AsyncIterator[list[StoredObject]]:
    """List all behind the key *after*, in the order of the store."""
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
