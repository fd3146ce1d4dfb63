"""Converting the rows of a query to a catalog in NDJSON."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

from imageconverter.catalog.lines import MAX_LINE_BYTES
from imageconverter.errors import SourceRefused

_CHUNK_BYTES = 64 * 1024


class RowSerializer:
    """Serializes rows by the names of their columns.

    ``id`` is a text, an integer or a UUID; ``active`` a boolean, 0 or 1; ``images`` an array, a JSON array, or text
    with ``|`` between names, or ``image`` one name. Consecutive rows with the same id are one entry.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        """Raise SourceRefused if a column is missing."""
        positions = {name.lower(): position for position, name in enumerate(columns)}
        for name in ("id", "active"):
            if name not in positions:
                raise SourceRefused(f"The query returns no column {name}.")
        if ("images" in positions) == ("image" in positions):
            raise SourceRefused("The query must return either a column images or a column image.")
        self._id, self._active = positions["id"], positions["active"]
        self._image = positions.get("images", positions.get("image", -1))
        self._names = _names if "images" in positions else _name

    def chunks(self, rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
        """Yield *rows* as lines, about 64 KiB at a time; raises SourceRefused for a value of another type."""
        pending = bytearray()
        for identity, group in groupby(rows, key=lambda row: _identity(row[self._id])):
            pending += self._line(identity, group)
            if len(pending) >= _CHUNK_BYTES:
                yield bytes(pending)
                pending.clear()
        if pending:
            yield bytes(pending)

    def _line(self, identity: str, rows: Iterable[Sequence[Any]]) -> bytes:
        active: bool | None = None
        images: list[str] = []
        size = 0
        for row in rows:
            value = _boolean(identity, row[self._active])
            if active is not None and value is not active:
                raise SourceRefused(f"The rows of id {identity[:255]!r} have different values of active.")
            active = value
            names = self._names(identity, row[self._image])
            size += sum(map(len, names))
            if size > MAX_LINE_BYTES:  # checked here, because memory holds one whole entry
                raise SourceRefused(
                    f"The images of id {identity[:255]!r} take more than {MAX_LINE_BYTES // 1024} KiB."
                )
            images += names
        return json.dumps({"id": identity, "active": active, "images": images}).encode() + b"\n"


def _identity(value: Any) -> str:
    if type(value) is str:
        return value
    if type(value) is int or isinstance(value, UUID):
        return str(value)
    raise SourceRefused(f"The column id has {_kind(value)}, not a text or an integer.")


def _boolean(identity: str, value: Any) -> bool:
    if type(value) is bool or (type(value) is int and value in (0, 1)):
        return bool(value)
    raise SourceRefused(f"The column active has {_kind(value)} for id {identity[:255]!r}, not a boolean, 0 or 1.")


def _name(identity: str, value: Any) -> list[str]:
    if value is None or value == "":
        return []
    if type(value) is not str:
        raise SourceRefused(f"The column image has {_kind(value)} for id {identity[:255]!r}, not a text.")
    return [value]


def _names(identity: str, value: Any) -> list[str]:
    if type(value) is str and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            raise SourceRefused(f"The images of id {identity[:255]!r} start like JSON but are not valid.") from None
    elif type(value) is str:
        value = [name for name in value.split("|") if name]
    names = [] if value is None else value
    if type(names) is not list or not all(name is None or type(name) is str for name in names):
        raise SourceRefused(
            f"The column images has {_kind(value)} for id {identity[:255]!r}, not an array of texts or a text."
        )
    return [name for name in names if name is not None]  # an outer join aggregates NULL for no rows


def _kind(value: Any) -> str:
    return "NULL" if value is None else f"a value of type {type(value).__name__}"
