"""Multipart uploads: an object is written in parts while it arrives, so that it is never whole in memory."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

from imageconverter.errors import StoreUnavailable
from imageconverter.storage.bucket import unavailable_if_failed

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import CompletedPartTypeDef

PART_BYTES: Final = 5 * 1024 * 1024
"""The smallest part that S3 accepts, except for the last one."""
_RETRY_SECONDS: Final = (0.2, 1.0)

Connection = Callable[[int], AbstractAsyncContextManager[None]]
"""Context of a call of the store that sends a number of bytes."""
Result = TypeVar("Result")


class MultipartUpload:
    """The parts of one object."""

    def __init__(self, client: "S3Client", address: dict[str, str], upload_id: str, connection: Connection) -> None:
        """Add parts to the upload, which has been initiated."""
        self._client = client
        self._address: dict[str, Any] = {**address, "UploadId": upload_id}
        self._connection = connection
        self._parts: list[CompletedPartTypeDef] = []

    async def add(self, data: bytes) -> None:
        """Send a part: PART_BYTES or more, unless it is the last one."""
        number = len(self._parts) + 1
        for delay in _RETRY_SECONDS:
            try:
                await self._send(number, data)
            except StoreUnavailable:
                await asyncio.sleep(delay)
            else:
                return
        await self._send(number, data)

    async def complete(self) -> None:
        """Make the object of the parts."""
        parts = {"Parts": self._parts}
        await _call(
            self._connection(0), self._client.complete_multipart_upload, **self._address, MultipartUpload=parts
        )

    async def _send(self, number: int, data: bytes) -> None:
        sent = await _call(
            self._connection(len(data)), self._client.upload_part, **self._address, PartNumber=number, Body=data
        )
        self._parts.append({"PartNumber": number, "ETag": sent["ETag"]})

    async def abort(self) -> None:
        """Delete the parts."""
        await _call(self._connection(0), self._client.abort_multipart_upload, **self._address)


@asynccontextmanager
async def multipart_upload(
    client: "S3Client", address: dict[str, str], connection: Connection, **properties: Any
) -> AsyncIterator[MultipartUpload]:
    """Upload the object at *address* (bucket and key) in parts; it is complete when the block ends without an error.

    Parts that an error or a kill leaves behind are deleted by `bucket.abort_unfinished`.
    """
    initiated = await _call(connection(0), client.create_multipart_upload, **address, **properties)
    upload = MultipartUpload(client, address, initiated["UploadId"], connection)
    try:
        yield upload
        await upload.complete()
    except BaseException:
        await asyncio.shield(_abort(upload))
        raise


async def _abort(upload: MultipartUpload) -> None:
    with suppress(StoreUnavailable):
        await upload.abort()


async def _call(
    connection: AbstractAsyncContextManager[None], method: Callable[..., Result], /, **arguments: Any
) -> Result:
    def call() -> Result:
        with unavailable_if_failed():
            return method(**arguments)

    async with connection:
        return await asyncio.to_thread(call)
