"""Texts of clients in log lines and in the reasons of errors: bounded, on one line, without control characters."""

from collections.abc import Collection
from itertools import islice
from typing import Final

_MAX_QUOTED: Final = 60
_MAX_LISTED: Final = 20


def printable(text: str, *, max_length: int) -> str:
    """Return *text* with at most *max_length* characters; those that are not printable are escaped after that."""
    cut = text if len(text) <= max_length else text[: max_length - 1] + "…"
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in cut)


def quoted(text: str) -> str:
    """Return *text* in quotation marks, cut after some words."""
    return '"' + printable(text.replace("\\", "\\\\").replace('"', '\\"'), max_length=_MAX_QUOTED) + '"'


def listed(names: Collection[str]) -> str:
    """Return the first *names* with commas between them, and how many more there are."""
    first = ", ".join(islice(names, _MAX_LISTED))
    return first if len(names) <= _MAX_LISTED else f"{first} and {len(names) - _MAX_LISTED} more"
