"""The object store: the operations that the core needs, on any S3-compatible server.

Data is transferred by obstore (Rust, asyncio); boto3 does what obstore cannot, see `bucket`. Both use path-style
addresses and the same credentials, and every call has a deadline.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import IO, TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeVar

import obstore
from obstore.exceptions import AlreadyExistsError, PreconditionError

from imageconverter import keys
from imageconverter.errors import ObjectTooLarge, StoreUnavailable
from imageconverter.settings import MEGABYTE, StorageSettings
from imageconverter.storage import bucket
from imageconverter.storage.calls import CallListener, Calls, ChangeListener
from imageconverter.storage.clock import StoreClock
from imageconverter.storage.multipart_upload import MultipartUpload, multipart_upload
from imageconverter.storage.s3_store import create_store
from imageconverter.storage.stored_file import open_stored
from imageconverter.storage.streaming import stream

if TYPE_CHECKING:
    from obstore import Bytes, GetOptions, GetResult
    from types_boto3_s3 import S3Client
    from typing_extensions import Buffer

Result = TypeVar("Result")

PAGE_SIZE: Final = 1000
"""Objects on a page of a listing, except for the last one."""
_HEALTH = "health"  # an object that need not exist
_WRITE_CHECK = keys.WRITE_CHECK
_WRITE_CHECK_SECONDS = 10
_MULTIPART_BYTES = 32 * MEGABYTE


@dataclass(frozen=True)
class StoredObject:
    """The properties of an object, from a listing or a HEAD request."""

    key: str
    size: int
    """Bytes."""
    etag: str
    """Quoted, as in HTTP."""
    modified: datetime
    metadata: Mapping[str, str] = field(default_factory=dict)
    """User metadata; empty in listings."""


class LoadedObject(NamedTuple):
    """An object with its data."""

    stored: StoredObject
    data: "Bytes"


@dataclass(frozen=True)
class OpenedObject:
    """An object whose data is streamed."""

    stored: StoredObject
    content_type: str
    chunks: AsyncIterator[bytes]


class ObjectStore:
    """One bucket. Every method raises StoreUnavailable if the store fails or exceeds the deadline."""

    def __init__(self, settings: StorageSettings, *, on_call: CallListener = lambda *_: None) -> None:
        """Create the client; nothing is sent yet. *on_call* is called after each call."""
        self._settings = settings
        self._calls = Calls(settings.timeout_seconds, on_call, self._probe, self._probe_writing)
        self._client: S3Client | None = None
        self._written_at = -math.inf
        self._clock = StoreClock()
        self._store = create_store(settings)

    def watch(self, listener: ChangeListener) -> None:
        """Have *listener* forget what this process changes; it is not kept alive for that."""
        self._calls.listeners.add(listener)

    async def ensure_bucket(self) -> None:
        """Create the bucket if it does not exist."""
        await asyncio.to_thread(bucket.ensure_bucket, self._settings)

    async def abort_unfinished(self, before: datetime) -> int:
        """Abort the multipart uploads that were initiated *before* that time; returns their number."""
        return await asyncio.to_thread(bucket.abort_unfinished, self._settings, before=before)

    @property
    def is_unavailable(self) -> bool:
        """Whether a circuit breaker is open, for reading or writing; waits for no response."""
        return any([self._calls.reads.is_open, self._calls.writes.is_open])  # each starts a probe

    @property
    def unavailable_for(self) -> Mapping[Literal["reading", "writing"], bool]:
        """Which circuit breakers are open; starts no probe."""
        return {"reading": self._calls.reads.was_open, "writing": self._calls.writes.was_open}

    async def confirm_unavailable(self) -> bool:
        """Return, after a call has failed, whether the store is unavailable, by the result of a probe."""
        return any(await asyncio.gather(self._calls.reads.wait_for_probe(), self._calls.writes.wait_for_probe()))

    async def availability(self) -> Literal["up", "read-only", "down"]:
        """Return whether the store can be read and written; that it can be written, as of at most ten seconds ago."""
        try:
            await self.head(_HEALTH)
        except StoreUnavailable:
            return "down"
        now = asyncio.get_running_loop().time()
        try:
            if self._calls.writes.is_open or now - self._written_at > _WRITE_CHECK_SECONDS:
                await self.put(_WRITE_CHECK, b"1", content_type="text/plain")
                self._written_at = now
        except StoreUnavailable:
            return "read-only"
        return "up"

    async def now(self) -> datetime:
        """Return the time by the store's clock, to a second.

        The age of an object is the difference of two times of one clock: those of other hosts may be wrong.
        """
        await self.put(_WRITE_CHECK, b"1", content_type="text/plain")
        written = await self.head(_WRITE_CHECK)
        if written is None:
            raise StoreUnavailable("The object store does not have what was written.")
        self._clock.observe(written.modified)
        return written.modified

    async def cutoff(self, age: timedelta) -> datetime:
        """Return the time before which an object was last modified if it is older than *age*, by the store's clock.

        If that clock was set, objects may be taken for younger than they are, but not for older.
        """
        return self._clock.cutoff(await self.now(), age)

    async def put(
        self, key: str, data: "Buffer", *, content_type: str, metadata: Mapping[str, str] | None = None
    ) -> str:
        """Create or overwrite an object atomically; returns its ETag."""
        size = memoryview(data).nbytes
        async with self._calls.deadline("put", size, changes=[key]):
            result = await obstore.put_async(
                self._store,
                key,
                data,
                attributes={"Content-Type": content_type, **(metadata or {})},
                use_multipart=size > _MULTIPART_BYTES,
            )
        return result["e_tag"] or ""

    async def create(
        self, key: str, data: "Buffer", *, content_type: str, metadata: Mapping[str, str] | None = None
    ) -> str | None:
        """Create an object unless it exists; returns its ETag, None if nothing was created."""
        async with self._calls.deadline("put", memoryview(data).nbytes, changes=[key]):
            try:
                result = await obstore.put_async(
                    self._store,
                    key,
                    data,
                    attributes={"Content-Type": content_type, **(metadata or {})},
                    mode="create",
                )
            except AlreadyExistsError:
                return None
        return result["e_tag"] or ""

    @asynccontextmanager
    async def put_in_parts(
        self, key: str, *, content_type: str, metadata: Mapping[str, str] | None = None
    ) -> AsyncIterator[MultipartUpload]:
        """Create or overwrite an object in parts, atomically when the block ends; not if it raises an error.

        No connection is in use between the parts.
        """
        upload = multipart_upload(
            await self._boto3_client(),
            {"Bucket": self._settings.bucket, "Key": key},
            partial(self._calls.deadline, "put_part", changes=[key]),
            ContentType=content_type,
            Metadata=metadata or {},
        )
        async with upload as parts:
            yield parts

    async def presign_put(self, key: str, *, size: int, seconds: int) -> str:
        """Return a URL by which a client may store *size* bytes at *key*; "" if clients cannot reach the store."""
        if self._settings.public_endpoint is None:
            return ""
        return await asyncio.to_thread(bucket.presign_put, self._settings, key, size=size, seconds=seconds)

    async def has_conditional_writes(self) -> bool:
        """Return whether the store refuses to create an object that exists."""
        await self.put(_WRITE_CHECK, b"1", content_type="text/plain")
        return await self.create(_WRITE_CHECK, b"1", content_type="text/plain") is None

    async def replace(self, key: str, data: "Buffer", *, content_type: str, before: StoredObject | None) -> bool:
        """Create or overwrite an object if it is as *before*, None if it did not exist; returns whether it was."""
        if before is None:
            return await self.create(key, data, content_type=content_type) is not None
        async with self._calls.deadline("put", memoryview(data).nbytes, changes=[key]):
            try:
                await obstore.put_async(
                    self._store,
                    key,
                    data,
                    attributes={"Content-Type": content_type},
                    mode={"e_tag": before.etag},
                )
            except PreconditionError:
                return False
        return True

    async def get(self, key: str, *, max_bytes: int | None = None) -> LoadedObject | None:
        """Read a whole object, None if it does not exist. The deadline grows with the object's size.

        Raises ObjectTooLarge, without reading it, if it has more than *max_bytes*.
        """
        result = await self._get(key)
        if result is None:
            return None
        if max_bytes is not None and result.meta["size"] > max_bytes:
            raise ObjectTooLarge(f"The file has more than {max_bytes // MEGABYTE} MiB.")
        async with self._calls.deadline("read", result.meta["size"]):
            return LoadedObject(_stored_with_metadata(result), await result.bytes_async())

    async def head(self, key: str) -> StoredObject | None:
        """Return the properties of an object, None if it does not exist."""
        result = await self._get(key, {"head": True})
        return None if result is None else _stored_with_metadata(result)

    async def inspect(self, stored: StoredObject, read: Callable[[IO[bytes]], Result]) -> Result:
        """Call *read*, in a thread, with a file that fetches only what is read of an object; returns its result."""
        async with self._calls.deadline("read"):
            file = open_stored(self._store, stored.key, stored.size)
            return await asyncio.to_thread(read, file)

    async def open(self, key: str, *, span: tuple[int, int] | None = None) -> OpenedObject | None:
        """Open an object to stream its bytes, or those of *span* (first, after last); None if it does not exist."""
        result = await self._get(key, {"range": span} if span else {})
        if result is None:
            return None
        content_type = str(result.attributes.get("Content-Type", "application/octet-stream"))
        return OpenedObject(_stored_with_metadata(result), content_type, stream(result, self._get, self._calls))

    async def copy(self, source: str, target: str) -> bool:
        """Copy an object with its metadata within the store; returns False if it does not exist."""
        async with self._calls.deadline("copy", changes=[target]):
            try:
                await obstore.copy_async(self._store, source, target)
            except FileNotFoundError:
                return False
        return True

    async def copy_unchanged(self, stored: StoredObject, target: str) -> bool:
        """Copy an object unless it was replaced since *stored* was read; returns whether it was copied."""
        client = await self._boto3_client()
        async with self._calls.deadline("copy", changes=[target]):
            return await asyncio.to_thread(
                bucket.copy_unchanged, client, self._settings.bucket, stored.key, stored.etag, target
            )

    async def replace_metadata(self, stored: StoredObject, *, content_type: str, metadata: Mapping[str, str]) -> bool:
        """Replace content type and metadata of an object unless it was replaced since *stored* was read.

        Returns whether they were. Its data and its ETag stay.
        """
        replace_metadata = partial(bucket.replace_metadata, content_type=content_type, metadata=metadata)
        client = await self._boto3_client()
        async with self._calls.deadline("copy", changes=[stored.key]):
            return await asyncio.to_thread(replace_metadata, client, self._settings.bucket, stored.key, stored.etag)

    async def copy_new(self, source: str, target: str) -> bool:
        """Copy an object with its metadata unless *target* exists; returns whether it was copied.

        By its data, because a copy within the store has no such condition everywhere.
        """
        opened = await self.open(source)
        if opened is None:
            return False
        data = b"".join([chunk async for chunk in opened.chunks])
        metadata = opened.stored.metadata
        return await self.create(target, data, content_type=opened.content_type, metadata=metadata) is not None

    async def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; those that do not exist are ignored."""
        wanted = list(keys)
        if not wanted:
            return
        async with self._calls.deadline("delete", changes=wanted):
            await obstore.delete_async(self._store, wanted)

    async def delete_unchanged(self, stored: StoredObject) -> bool:
        """Delete an object unless it was replaced since *stored* was read; returns whether it was deleted."""
        client = await self._boto3_client()
        async with self._calls.deadline("delete", changes=[stored.key]):
            return await asyncio.to_thread(
                bucket.delete_unchanged, client, self._settings.bucket, stored.key, stored.etag
            )

    async def list(self, prefix: str, *, after: str = "") -> AsyncIterator[list[StoredObject]]:
        """List all objects below *prefix* (which ends in a slash), in pages, in the order of their keys.

        With *after*, the listing starts after that key; a slash at its end stands before all names in that directory.
        """
        # obstore drops the slash, and SeaweedFS then all that is in the directory. No name begins with a space.
        offset = f"{after} " if after.endswith("/") else after
        pages = obstore.list(self._store, prefix, offset=offset or None, chunk_size=PAGE_SIZE)
        while True:
            async with self._calls.deadline("list"):
                try:
                    page = await anext(pages)
                except StopAsyncIteration:
                    return
            yield [_stored(meta) for meta in page]

    async def _boto3_client(self) -> "S3Client":
        if self._client is None:
            self._client = await asyncio.to_thread(bucket.create_client, self._settings)
        return self._client

    async def _probe(self) -> None:
        with suppress(FileNotFoundError):
            await obstore.head_async(self._store, _HEALTH)

    async def _probe_writing(self) -> None:
        await obstore.put_async(self._store, _WRITE_CHECK, b"1", attributes={"Content-Type": "text/plain"})

    async def _get(self, key: str, options: "GetOptions | None" = None) -> "GetResult | None":
        async with self._calls.deadline("head" if options and options.get("head") else "get"):
            try:
                return await obstore.get_async(self._store, key, options=options)
            except FileNotFoundError:
                return None


def _stored(meta: Any) -> StoredObject:
    return StoredObject(meta["path"], meta["size"], meta["e_tag"] or "", meta["last_modified"])


def _stored_with_metadata(result: "GetResult") -> StoredObject:
    metadata = {name: str(value) for name, value in result.attributes.items() if name != "Content-Type"}
    return replace(_stored(result.meta), metadata=metadata)
