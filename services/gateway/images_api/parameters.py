"""Parameters in the query that several operations have."""

from typing import Final

from aiohttp import web

from imageconverter.errors import InvalidValue

_PAGE: Final = 1000
_MAX_DIGITS = 12  # more than there are results of any run
_BOOLEANS = {"true": True, "false": False}


def flag(request: web.Request, name: str, *, default: bool = False) -> bool:
    """Return a parameter that is `true` or `false`; raises InvalidValue."""
    text = request.query.get(name)
    value = default if text is None else _BOOLEANS.get(text)
    if value is None:
        raise InvalidValue(f"{name} must be true or false.", field=name)
    return value


def page_size(request: web.Request) -> int:
    """Return `?limit=`, the maximum number of entries on a page; raises InvalidValue."""
    text = request.query.get("limit", str(_PAGE))
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= _PAGE):
        raise InvalidValue(f"limit must be a number from 1 to {_PAGE}.", field="limit")
    return int(text)


def cursor(request: web.Request) -> int:
    """Return the number at which a page begins; raises InvalidValue."""
    text = request.query.get("cursor", "0")
    if not text.isascii() or not text.isdigit() or len(text) > _MAX_DIGITS:
        raise InvalidValue("The cursor is not valid.", field="cursor")
    return int(text)
