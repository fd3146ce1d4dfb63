"""Adding fields that this release does not know to a payload."""

from typing import Any

FIELD = "fieldOfALaterRelease"


def with_unknown_fields(payload: Any) -> Any:
    """Return *payload* with an unknown field in each of its objects."""
    if isinstance(payload, dict):
        return {**{name: with_unknown_fields(value) for name, value in payload.items()}, FIELD: {"a": [1]}}
    if isinstance(payload, list):
        return [with_unknown_fields(value) for value in payload]
    return payload
