"""Text of catalogs in UTF-16, which spreadsheets write, as UTF-8."""

import codecs
from collections.abc import AsyncIterator
from typing import Final

from imageconverter.errors import BrokenLine

_MARKS: Final = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_MARK_BYTES: Final = 2


async def utf8(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield *chunks*, in UTF-8 if they begin with the byte order mark of UTF-16, else unchanged.

    Raises BrokenLine at the first line that is not UTF-16 then.
    """
    start = b""
    async for chunk in chunks:
        start += chunk
        if len(start) >= _MARK_BYTES:
            break
    encoding = _MARKS.get(start[:_MARK_BYTES])
    if encoding is None:
        yield start
        async for chunk in chunks:
            yield chunk
        return
    text = _Utf16(encoding)
    yield text.convert(start[_MARK_BYTES:])
    async for chunk in chunks:
        yield text.convert(chunk)
    yield text.convert(b"", final=True)


class _Utf16:
    """A text of which parts are converted one after the other."""

    def __init__(self, encoding: str) -> None:
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._line = 1

    def convert(self, part: bytes, *, final: bool = False) -> bytes:
        try:
            text = self._decoder.decode(part, final)
        except UnicodeDecodeError as error:
            before = error.object[: error.start].decode(error.encoding)
            raise BrokenLine(self._line + before.count("\n"), "", "is not UTF-16.") from None
        self._line += text.count("\n")
        return text.encode()
