"""FITS files for tests, written according to the standard."""

from typing import Any

import numpy as np

Samples = np.ndarray[Any, np.dtype[Any]]

_BITS = {"u1": 8, "i2": 16, "i4": 32, "i8": 64, "f4": -32, "f8": -64}


def fits(samples: Samples, **keywords: Any) -> bytes:
    """Return a file with the primary image *samples*; the last axis is FITS's first one, rows are from the bottom."""
    return unit(samples, "SIMPLE  =                    T", **keywords)


def extension(samples: Samples, kind: str = "IMAGE", **keywords: Any) -> bytes:
    """Return an extension to append to a primary image."""
    return unit(samples, f"XTENSION= '{kind:<8}'", PCOUNT=0, GCOUNT=1, **keywords)


def unit(samples: Samples, first_card: str, **keywords: Any) -> bytes:
    """Return a header and its data, each padded to a multiple of 2,880 bytes."""
    axes = samples.shape[::-1] if samples.size else ()
    cards = [first_card, card("BITPIX", _BITS[samples.dtype.str[1:]]), card("NAXIS", len(axes))]
    cards += [card(f"NAXIS{index}", length) for index, length in enumerate(axes, 1)]
    cards += [card(name, value) for name, value in keywords.items()]
    header = "".join(each.ljust(80) for each in [*cards, "END"]).encode()
    data = samples.astype(samples.dtype.newbyteorder(">")).tobytes()
    return _filled(header, b" ") + _filled(data, b"\0")


def card(name: str, value: Any) -> str:
    """Return a line of a header."""
    return f"{name:<8}= {value!s:>20} / a comment"


def _filled(data: bytes, filler: bytes) -> bytes:
    return data + filler * (-len(data) % 2880)
