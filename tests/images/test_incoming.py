"""Receiving an image: nothing of a stored part is kept while the next one arrives."""

import asyncio
from collections.abc import AsyncIterator
from typing import Self
from uuid import uuid4

from imageconverter import keys
from imageconverter.engine import Limits
from imageconverter.images.incoming import Incoming, store_image
from imageconverter.resources import Resources
from imageconverter.storage.multipart_upload import PART_BYTES
from tests.testing import image_files


class Part(bytes):
    """Bytes that are counted while they are in memory."""

    in_memory = 0

    def __new__(cls, data: bytes) -> Self:
        """Count one more."""
        Part.in_memory += 1
        return super().__new__(cls, data)

    def __del__(self) -> None:
        """Count one less."""
        Part.in_memory -= 1


class CountedIncoming(Incoming):
    """Returns what it has read as `Part`."""

    async def read(self, size: int) -> bytes:
        """As the original."""
        return Part(await super().read(size))


async def test_a_stored_part_is_not_in_memory_while_the_next_one_arrives(resources: Resources) -> None:
    """Its memory counts as free then, whatever time the client takes."""

    async def chunks() -> AsyncIterator[bytes]:
        for data in (image_files.png(), bytes(PART_BYTES), bytes(PART_BYTES)):
            yield data
            while Part.in_memory:
                await asyncio.sleep(0.01)

    key, staging_key = (keys.source(f"{uuid4().hex}/{name}") for name in ("a.png", "staged"))
    incoming = CountedIncoming(chunks(), max_bytes=3 * PART_BYTES, release=lambda: None)
    async with asyncio.timeout(10):
        await store_image(resources.store, key, incoming, Limits(pixels=1_000_000), staging_key=staging_key)
