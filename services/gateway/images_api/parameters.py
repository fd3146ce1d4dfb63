"""Parameters in the query that several operations have."""

from aiohttp import web

from imageconverter.errors import InvalidValue

_BOOLEANS = {"true": True, "false": False}


def flag(request: web.Request, name: str, *, default: bool = False) -> bool:
    """Return a parameter that is `true` or `false`; raises InvalidValue."""
    text = request.query.get(name)
    value = default if text is None else _BOOLEANS.get(text)
    if value is None:
        raise InvalidValue(f"{name} must be true or false.", field=name)
    return value
