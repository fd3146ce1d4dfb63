"""Cutting a stream of bytes into lines, in memory that the stream cannot make grow."""

from collections.abc import AsyncIterator
from typing import Final, NamedTuple

from imageconverter.errors import BrokenLine

MAX_LINE_BYTES: Final = 512 * 1024  # bytes
_BLOCK_BYTES = 256 * 1024  # handed on at once: enough that the next step is not paid for line by line
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Block(NamedTuple):
    """Some lines that follow each other, without their line feeds."""

    first: int
    """The number of the first, counted from 1."""
    lines: list[bytes]


async def blocks(chunks: AsyncIterator[bytes]) -> AsyncIterator[Block]:
    """Cut *chunks* at line feeds; the last line needs none, and a byte order mark before the first is passed over.

    Of a line longer than `MAX_LINE_BYTES` only the beginning may come, still longer than that, and nothing behind it.
    """
    pending = bytearray()
    whole = 0  # so many bytes of `pending` are lines to their end
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
    """Raise BrokenLine where a line is longer than `MAX_LINE_BYTES`."""
    if len(line) > MAX_LINE_BYTES:
        raise BrokenLine(number, "", f"is longer than {MAX_LINE_BYTES // 1024} KiB.")
