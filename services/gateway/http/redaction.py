"""What clients send must not disclose credentials when it is logged."""

import re
from typing import Final

_TOKEN: Final = re.compile(r"[\w-]{8,}(?:(?:\.|%2[eE])[\w-]{8,}){2}")  # a JSON Web Token


def without_tokens(text: str) -> str:
    """Return *text* without anything that has the form of a token."""
    return _TOKEN.sub("…", text)
