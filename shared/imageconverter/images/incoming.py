"""Receiving an image: it is hashed and checked while it arrives, and a large one is never whole in memory."""

import hashlib
import io
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import IO, Final

from imageconverter.engine import Limits, SourceType, check_header
from imageconverter.engine.source_types import OTHER_MEDIA_TYPE
from imageconverter.errors import (
    ImageTooLarge,
    InvalidFileFormat,
    InvalidValue,
    NotAnImage,
    NotFound,
    TooLarge,
    Undecodable,
    Unsupported,
)
from imageconverter.storage.multipart_upload import PART_BYTES
from imageconverter.storage.store import ObjectStore

WHOLE_BYTES: Final = PART_BYTES
"""An image of up to this size is stored by one request, a larger one in parts of PART_BYTES."""
SHA256: Final = "sha256"
"""Metadata of a source: the SHA-256 of its bytes, in hexadecimal digits, if it was known when it was stored."""
_FIELD: Final = "imageData"
_HEX_SHA256: Final = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class StoredImage:
    """An image that was received and stored."""

    size: int
    """Bytes."""
    sha256: str
    """In hexadecimal digits."""
    type: SourceType


class Incoming:
    """The bytes of one image, while they arrive."""

    def __init__(self, chunks: AsyncIterator[bytes], *, max_bytes: int, release: Callable[[], None]) -> None:
        """Read *chunks*, at most *max_bytes*; *release* is called when what has arrived is no longer in memory."""
        self._chunks = chunks
        self._max_bytes = max_bytes
        self._hash = hashlib.sha256()
        self.release = release
        self.size = 0
        """Bytes so far."""

    @property
    def sha256(self) -> str:
        """Of the bytes so far, in hexadecimal digits."""
        return self._hash.hexdigest()

    async def read(self, size: int) -> bytes:
        """Return at least *size* bytes, less at the end. Raises TooLarge, and what the chunks raise."""
        data = io.BytesIO()  # which hands out its buffer without a copy
        async for chunk in self._chunks:
            self.size += len(chunk)
            if self.size > self._max_bytes:
                raise TooLarge("The image is too large.")
            self._hash.update(chunk)
            data.write(chunk)
            if data.tell() >= size:
                break
        return data.getvalue()


async def store_image(
    store: ObjectStore, key: str, incoming: Incoming, limits: Limits, *, staging_key: str, sha256: str = ""
) -> StoredImage:
    """Store the image that arrives at *key*, if its header is valid and it has *sha256*, "" for any.

    A large one whose header is not in its first megabytes is at *staging_key* until it is checked. An error leaves
    what was at *key* as it was: InvalidFileFormat and InvalidValue for the image, what reading it raises, and
    StoreUnavailable.
    """
    head = await incoming.read(WHOLE_BYTES + 1)
    if not head:
        raise InvalidFileFormat("The file is empty.", field=_FIELD)
    if len(head) <= WHOLE_BYTES:
        whole = check(io.BytesIO(head), limits)
        _check_hash(incoming, sha256)
        await store.put(key, head, content_type=whole.media_type, metadata={SHA256: incoming.sha256})
        incoming.release()
        return StoredImage(incoming.size, incoming.sha256, whole)
    found = _check_beginning(head, limits)
    written, content_type = (key, found.media_type) if found else (staging_key, OTHER_MEDIA_TYPE)
    metadata = {SHA256: sha256} if sha256 else {}
    async with store.put_in_parts(written, content_type=content_type, metadata=metadata) as upload:
        while head:
            await upload.add(head)
            head = b""  # a slow client must not keep what it has released
            incoming.release()
            head = await incoming.read(PART_BYTES)
        _check_hash(incoming, sha256)
    found = found or await publish(store, staging_key, key, limits, max_bytes=incoming.size)
    return StoredImage(incoming.size, incoming.sha256, found)


async def publish(store: ObjectStore, staging_key: str, key: str, limits: Limits, *, max_bytes: int) -> SourceType:
    """Check a staged image, of which only the header is read, and move it to *key*; it is deleted if it is invalid.

    Raises NotFound, TooLarge, InvalidFileFormat and InvalidValue.
    """
    staged = await store.head(staging_key)
    if staged is None:
        raise NotFound("There is no such upload.")
    try:
        if staged.size > max_bytes:
            raise TooLarge("The image is too large.")
        found = await store.inspect(staged, partial(check, limits=limits))
        if not await store.copy_unchanged(staged, key):
            raise InvalidValue("The upload has changed meanwhile.", field="upload")
    finally:
        await store.delete([staging_key])
    return found


def is_sha256(text: str) -> bool:
    """Whether *text* is a SHA-256 in hexadecimal digits."""
    return _HEX_SHA256.fullmatch(text) is not None


def check(source: IO[bytes], limits: Limits) -> SourceType:
    """Return the type of an image by its header; raises InvalidFileFormat and InvalidValue."""
    try:
        return check_header(source, limits)
    except ImageTooLarge as error:
        raise InvalidValue(error.reason, field=_FIELD) from None
    except Undecodable as error:
        raise InvalidFileFormat(error.reason, field=_FIELD) from None


def _check_beginning(head: bytes, limits: Limits) -> SourceType | None:
    """Check the first bytes of an image as `check` does; returns None if its header goes beyond them."""
    try:
        return check(io.BytesIO(head), limits)
    except InvalidFileFormat as error:
        if isinstance(error.__context__, (NotAnImage, Unsupported)):
            raise
        return None


def _check_hash(incoming: Incoming, sha256: str) -> None:
    if sha256 and incoming.sha256 != sha256:
        raise InvalidValue("The SHA-256 of the image is not the announced one.", field=_FIELD)
