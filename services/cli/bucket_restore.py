"""Restoring a backup of the bucket while the stack runs.

Redis needs no backup: a number in the bucket that is larger than that in Redis makes a reporter rebuild it from the
bucket (`services.reporter.redis_recovery`). That number is written last.
"""

import asyncio
import tarfile
from functools import partial
from typing import IO, TYPE_CHECKING, Final

from imageconverter import keys
from imageconverter.jobs import redis_command
from imageconverter.resources import Resources
from imageconverter.settings import MEGABYTE
from imageconverter.storage.bounded import CALLS_AT_ONCE, bounded
from imageconverter.storage.store import ObjectStore
from services.cli.bucket_archive import ArchivedObject, InvalidArchive, read_archive
from services.cli.bucket_backup import OF_A_STACK, Totals, is_reference

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_RETRY_TIMEOUT_SECONDS: Final = 30
DATA: Final = (
    keys.SOURCE,
    keys.FACTS,
    keys.FOCAL_POINTS,
    keys.TARGET,
    keys.VARIANTS,
    keys.PREVIEWS,
    keys.CATALOGS,
    keys.REPORTS,
    keys.RUN_RESULTS,
    keys.TRASH,
)
"""What a backup contains beside the state of the stack: the beginnings of keys."""
_SMALL_BYTES: Final = MEGABYTE  # several of these are written at once
_WHOLE_BYTES: Final = 32 * MEGABYTE  # larger objects are written in parts
_PART_BYTES: Final = 8 * MEGABYTE
_AHEAD: Final = 64  # Redis's number may grow, by 1 a minute, before a reporter compares them


async def has_data(store: ObjectStore) -> bool:
    """Return whether the bucket contains more than the state of a new stack."""
    for prefix in DATA:
        async for page in store.list(prefix):
            if page:
                return True
    return False


async def restore_backup(resources: Resources, file: IO[bytes]) -> Totals:
    """Write all objects of the archive *file* to the bucket, and let a reporter rebuild Redis from them.

    Objects of the same keys are replaced, others stay. Raises StoreUnavailable, QueueUnavailable, and InvalidArchive:
    then some objects are restored, but Redis is not rebuilt.
    """
    objects, size, epoch = 0, 0, 0
    writes: list[Callable[[], Awaitable[object]]] = []  # not done yet
    archived = read_archive(file)
    while (each := await asyncio.to_thread(next, archived, None)) is not None:
        if not each.key.startswith((*DATA, keys.STATE)):
            raise InvalidArchive("This is no archive of `imageconverter backup`.")
        objects, size = objects + 1, size + each.size
        if each.key == keys.EPOCH_COPY:
            epoch = int(await _read(each, each.size))
        elif each.key not in OF_A_STACK and each.size <= _SMALL_BYTES:
            writes.append(partial(_put, resources.store, each, await _read(each, each.size)))
        elif each.key not in OF_A_STACK:
            await _put_large(resources.store, each)
        if len(writes) == CALLS_AT_ONCE or is_reference(each.key):
            await bounded(writes)
            writes = []
    await bounded(writes)
    here = int(await redis_command(resources.redis, _RETRY_TIMEOUT_SECONDS, "GET", keys.EPOCH) or 0)
    number = str(max(epoch, here) + _AHEAD).encode()
    await resources.store.put(keys.EPOCH_COPY, number, content_type="text/plain")
    return Totals(objects, size)


async def _put(store: ObjectStore, each: ArchivedObject, data: bytes) -> None:
    await store.put(each.key, data, content_type=each.content_type, metadata=each.metadata)


async def _put_large(store: ObjectStore, each: ArchivedObject) -> None:
    if each.size <= _WHOLE_BYTES:
        await _put(store, each, await _read(each, each.size))
        return
    async with store.put_in_parts(each.key, content_type=each.content_type, metadata=each.metadata) as parts:
        for _ in range(0, each.size, _PART_BYTES):
            await parts.add(await _read(each, _PART_BYTES))


async def _read(each: ArchivedObject, size: int) -> bytes:
    """Read up to *size* bytes of an object; raises InvalidArchive if the archive is cut off."""
    try:
        return await asyncio.to_thread(each.data.read, size)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise InvalidArchive(f"The archive cannot be read: {error}.") from None
