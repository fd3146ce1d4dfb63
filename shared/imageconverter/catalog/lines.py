"""Splitting a stream of bytes into lines, with bounded memory."""

from collections.abc import AsyncIterator
from typing import Final, NamedTuple

from imageconverter.errors import BrokenLine

MAX_LINE_BYTES: Final = 512 * 1024  # bytes
_BLOCK_BYTES = 256 * 1024  # large enough to make the overhead of each block negligible
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Block(NamedTuple):
    """Consecutive lines without their line feeds."""

    first: int
    """Number of the first line, counted from 1."""
    lines: list[bytes]


async def blocks(chunks: AsyncIterator[bytes]) -> AsyncIterator[Block]:
    """Split *chunks* at line feeds; a byte order mark is ignored, and the last line need not end with a line feed.

    A line longer than `MAX_LINE_BYTES` may be cut, but not below that length, and ends the stream.
    """
    pending = bytearray()
    whole = 0  # number of bytes of complete lines in `pending`
    first = 1
    async for chunk in chunks:
        feed = chunk.rfind(b"\n")
        if feed >= 0:
            whole = len(pending) + feed + 1
        pending += chunk
        if len(pending) - whole > MAX_LINE_BYTES:
            break
        if whole >= _BLOCK_BYTES:
            block = _block(first, bytes(pending[: whole - 1]))
            yield block
            first += len(block.lines)
            del pending[:whole]
            whole = 0
    if pending:
        yield _block(first, bytes(pending.removesuffix(b"\n")))


def _block(first: int, text: bytes) -> Block:
    return Block(first, (text.removeprefix(_BYTE_ORDER_MARK) if first == 1 else text).split(b"\n"))


def check_length(number: int, line: bytes) -> None:
    """Raise BrokenLine if a line is longer than `MAX_LINE_BYTES`."""
    if len(line) > MAX_LINE_BYTES:
        raise BrokenLine(number, "", f"is longer than {MAX_LINE_BYTES // 1024} KiB.")
