"""From the bytes that a source sends to the text of the catalog: uncompressed, and no more than the limit."""

import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from typing import Final

from imageconverter.errors import SourceRefused, SourceUnavailable
from imageconverter.settings import MEGABYTE

_GZIP: Final = b"\x1f\x8b"  # no catalog begins so: it is not UTF-8
_PIECE_BYTES = 256 * 1024  # a millisecond's work, so that it needs no thread


async def decompress(chunks: AsyncIterator[bytes], max_bytes: int) -> AsyncGenerator[bytes, None]:
    """Pass *chunks* on, uncompressed where their first bytes are those of gzip.

    Names are not asked: a server may have uncompressed "catalog.csv.gz" on its way already. Raises SourceRefused
    for what is not gzip to its end or gives more than *max_bytes*, SourceUnavailable where its end is missing. The
    *chunks* are whoever's to close that made them.
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
    unpacking = _Unpacking()
    for piece in unpacking.feed(start):
        yield piece
    async for chunk in chunks:
        for piece in unpacking.feed(chunk):
            yield piece
    if not unpacking.complete:
        raise SourceUnavailable("The compressed catalog breaks off before its end.")


class _Unpacking:
    """Uncompresses the members of a gzip file, which may follow each other."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        self.complete = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self.complete:
                data = data.lstrip(b"\0")  # what tar and tapes fill up with
                if not data:
                    return
                self._member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
                self.complete = False
            try:
                piece = self._member.decompress(data, _PIECE_BYTES)
            except zlib.error:
                raise SourceRefused("The catalog begins like a gzip file but is none.") from None
            if piece:
                yield piece
            self.complete = self._member.eof
            data = self._member.unused_data if self.complete else self._member.unconsumed_tail
