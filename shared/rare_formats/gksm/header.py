"""The header of a GKS metafile: the encoding of the items after it."""

from dataclasses import dataclass

_FIXED_BYTES = 52  # the letters GKSM, the author (40), the date (8); then eight numbers of two characters
_SHORT_BYTES, _LONG_BYTES = 68, 90  # without and with the integers that represent 0 and 1
_MAX_WIDTH = 40  # characters or bytes of a field
_XGKS_WIDTHS = (0, 3, 6, 6, 11)


@dataclass(frozen=True)
class Header:
    """Widths of fields are in characters, in a binary metafile in bytes."""

    author: str
    prefix: bytes
    """The start of each item; empty if each has its own line."""
    kind_width: int
    length_width: int
    integer_width: int
    real_width: int
    is_binary: bool
    whole: tuple[int, int] | None
    """The integers that represent 0.0 and 1.0, if reals are written as integers."""
    end: int
    """Offset of the items; in a text the end of the header's line may precede them."""

    @property
    def is_xgks(self) -> bool:
        """Whether XGKS wrote it, judged by the widths."""
        widths = self.kind_width, self.length_width, self.integer_width, self.real_width
        return (len(self.prefix), *widths) == _XGKS_WIDTHS

    @property
    def is_varkon(self) -> bool:
        """Whether Varkon wrote it, which has private items."""
        return self.author.startswith("VARKON")


def read_header(data: bytes) -> Header:
    """Read the header at the beginning of *data*. Raises ValueError if it is missing or invalid."""
    if data[:4] != b"GKSM":
        raise ValueError("not a GKS metafile")
    numbers = [int(data[at : at + 2]) for at in range(_FIXED_BYTES, _SHORT_BYTES, 2)]
    _, prefix, *widths, form, reals = numbers
    if not 0 <= prefix <= 4 or not all(0 < width <= _MAX_WIDTH for width in widths):  # noqa: PLR2004 -- letters of GKSM
        raise ValueError("the widths of the fields are invalid")
    if form not in (1, 2) or reals not in (1, 2):
        raise ValueError(f"numbers of form {form}, {reals} are not supported")
    middle = (_SHORT_BYTES + _LONG_BYTES) // 2
    whole = (int(data[_SHORT_BYTES:middle]), int(data[middle:_LONG_BYTES])) if reals == 2 else None  # noqa: PLR2004
    if whole and whole[0] == whole[1]:
        raise ValueError("0 and 1 are the same")
    is_short = data.startswith((b"\n", b"\r", b"GKSM"[:prefix] or b"\n"), _SHORT_BYTES)
    return Header(
        author=data[4:44].decode("latin-1"),
        prefix=b"GKSM"[:prefix],
        kind_width=widths[0],
        length_width=widths[1],
        integer_width=widths[2],
        real_width=widths[3],
        is_binary=form == 2,  # noqa: PLR2004 -- 1 is text
        whole=whole,
        end=_SHORT_BYTES if is_short and not whole else _LONG_BYTES,
    )
