"""Decompressing a catalog, up to a size limit."""

import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from typing import Final

from imageconverter.errors import SourceRefused, SourceUnavailable
from imageconverter.settings import MEGABYTE

_GZIP: Final = b"\x1f\x8b"  # not UTF-8, so no catalog starts with it
_PIECE_BYTES = 256 * 1024  # takes about a millisecond, so no thread is needed


async def decompress(chunks: AsyncIterator[bytes], max_bytes: int) -> AsyncGenerator[bytes, None]:
    """Yield *chunks*, decompressed if they start with the magic bytes of gzip.

    The file name is ignored: a server may already have decompressed "catalog.csv.gz" in transit. Raises SourceRefused
    for invalid gzip data or more than *max_bytes*, SourceUnavailable for truncated data. The caller closes *chunks*.
    """
    total = 0
    async with aclosing(_pieces(chunks)) as pieces:
        async for piece in pieces:
            total += len(piece)
            if total > max_bytes:
                raise SourceRefused(f"The catalog has more than {max_bytes // MEGABYTE} MiB.")
            yield piece


async def _pieces(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    start = b""
    async for chunk in chunks:
        start += chunk
        if len(start) >= len(_GZIP):
            break
    if not start.startswith(_GZIP):
        if start:
            yield start
        async for chunk in chunks:
            yield chunk
        return
    decompressor = _Decompressor()
    for piece in decompressor.feed(start):
        yield piece
    async for chunk in chunks:
        for piece in decompressor.feed(chunk):
            yield piece
    if not decompressor.complete:
        raise SourceUnavailable("The compressed catalog is truncated.")


class _Decompressor:
    """Decompresses a gzip file of one or more members."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        self.complete = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self.complete:
                data = data.lstrip(b"\0")  # padding
                if not data:
                    return
                self._member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
                self.complete = False
            try:
                piece = self._member.decompress(data, _PIECE_BYTES)
            except zlib.error:
                raise SourceRefused("The catalog is not a valid gzip file.") from None
            if piece:
                yield piece
            self.complete = self._member.eof
            data = self._member.unused_data if self.complete else self._member.unconsumed_tail
