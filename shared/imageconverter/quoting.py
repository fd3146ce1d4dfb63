"""Texts of clients in the reasons of errors: nothing is repeated that a page or a terminal could interpret."""

import re
from collections.abc import Collection
from itertools import islice
from typing import Final

_PLAIN: Final = re.compile(r"[\w .,:;+@()/~-]*")
_MAX_LENGTH: Final = 60
_MAX_LISTED: Final = 20


def is_plain(text: str) -> bool:
    """Whether *text* has only letters, digits and a few marks, so that it can be repeated."""
    return _PLAIN.fullmatch(text) is not None


def quoted(text: str) -> str:
    """Return *text* in quotation marks, cut if it is long; if it is not plain, only that it has other characters.

    >>> f"There is no size {quoted('large')}."
    'There is no size "large".'
    >>> f"There is no size {quoted('<script>')}."
    'There is no size with special characters.'
    """
    if not is_plain(text):
        return "with special characters"
    return f'"{text}"' if len(text) <= _MAX_LENGTH else f'"{text[: _MAX_LENGTH - 1]}…"'


def listed(names: Collection[str]) -> str:
    """Return the first *names* with commas between them, and how many more there are."""
    first = ", ".join(islice(names, _MAX_LISTED))
    return first if len(names) <= _MAX_LISTED else f"{first} and {len(names) - _MAX_LISTED} more"
