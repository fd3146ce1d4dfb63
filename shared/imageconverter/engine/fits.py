"""Whether there is an image in a FITS file that can be decoded, by the headers of its parts (FITS Standard 4.0)."""

import math
from typing import IO

_CARD, _BLOCK = 80, 2880  # bytes
_MAX_BLOCKS = 2000  # of headers in a file
_MAX_AXES = 999


def unsupported(source: IO[bytes]) -> str:
    """Return the name of a variant that nothing here decodes, or ""."""
    length = source.seek(0, 2)
    at = blocks = 0
    while at < length:
        source.seek(at)
        cards, read = _cards(source, _MAX_BLOCKS - blocks)
        blocks += read
        try:
            axes = [int(cards[b"NAXIS%d" % (axis + 1)]) for axis in range(min(int(cards[b"NAXIS"]), _MAX_AXES))]
            elements = math.prod(axes) + int(cards.get(b"PCOUNT", b"0")) if axes else 0
            size = abs(int(cards[b"BITPIX"])) // 8 * max(int(cards.get(b"GCOUNT", b"1")), 1) * max(elements, 0)
        except (KeyError, ValueError):
            return ""  # broken, which the decoder says
        if (at == 0 or cards.get(b"XTENSION", b"").strip(b"' ") == b"IMAGE") and axes and all(axes):
            return ""
        if cards.get(b"ZIMAGE") == b"T":
            return "tile-compressed FITS image"
        at += read * _BLOCK + -(-size // _BLOCK) * _BLOCK
    return "FITS without an image"


def _cards(source: IO[bytes], max_blocks: int) -> tuple[dict[bytes, bytes], int]:
    """Read the header at the position. Returns its values, none of a broken header, and its length in blocks."""
    cards: dict[bytes, bytes] = {}
    for blocks in range(1, max_blocks + 1):
        block = source.read(_BLOCK)
        for start in range(0, len(block), _CARD):
            card = block[start : start + _CARD]
            keyword = card[:8].rstrip()
            if keyword == b"END":
                return cards, blocks
            if card[8:9] == b"=":
                cards.setdefault(keyword, card[9:].split(b"/")[0].strip())
        if len(block) < _BLOCK:
            break
    return {}, 0
