"""What is wrong with a formats file: the line, the field, and what is allowed there."""

import difflib
import json
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, ValidationError

# What the schema says as a pattern, or as it is stored.
_ALLOWED: Final = {
    "id": "1 to 64 letters, digits, - and _",
    "aliases": "a list of ids: 1 to 64 letters, digits, - and _ each",
    "background": 'a color such as "#ffffff", or "dominant"',
    "contentHost": 'a host in lower case such as "content.shop.example", perhaps with a port and a path',
    "keep": 'a list of "copyright" and "icc"',
    "cornerRadius": 'a whole number from 0 to 16384, or "max"',
    "quality": 'a whole number from 1 to 100, or "auto"',
    "variants": 'a list of avif and webp such as ["avif", "webp"]',
    "format": "tables that begin with [[subshop.format]]",
    "widths": "1 to 16 whole numbers from 1 to 16384 such as [320, 640, 1280]",
    "focus": '"center", "entropy", "saliency", "face" or two numbers from 0 to 1 such as [0.5, 0.2]',
}
_HEADER: Final = re.compile(r"\s*\[\[?([\w\s.\"'-]+)\]\]?\s*(#.*)?")
_NOT_IN_NAMES: Final = re.compile(r"[\s\"']")
_TOML_POSITION: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_MAX_VALUE: Final = 60  # characters
_MAX_PROBLEMS: Final = 100
_ALL: Final = range(sys.maxsize)


class FormatProblem(NamedTuple):
    """Something that is wrong with a formats file."""

    reason: str
    """What is wrong, and what is allowed."""
    line: int = 0
    """0 if it is not about a line."""
    column: int = 0
    """0 if unknown."""
    field: str = ""
    """"" if it is not about a field."""

    def __str__(self) -> str:
        """Return the problem as one line, with the place first."""
        column = f", column {self.column}" if self.column else ""
        line = f"line {self.line}{column}: " if self.line else ""
        return f"{line}{self.field and f'{self.field}: '}{self.reason}"


class Lines:
    """The lines of a formats file, in which tomllib gives no positions."""

    def __init__(self, text: str, table: str = "format", *, below: str = "", within: range = _ALL) -> None:
        """Find the entries in *text*: those with the name *table*, *below* another table, *within* some lines."""
        self.table = table
        self._text = text
        self._lines = text.splitlines()
        self._tables = [
            (number, _NOT_IN_NAMES.sub("", found[1]))
            for number, line in enumerate(self._lines, 1)
            if (found := _HEADER.fullmatch(line))
        ]
        name = f"{below}.{table}" if below else table
        self._headers = [number for number, each in self._tables if each == name and number in within]

    def of(self, index: int, field: str = "") -> int:
        """Return the line of a *field* of the entry with *index*, or of its header if the field is not there."""
        if index >= len(self._headers):
            return 1
        header = self._headers[index]
        end = next((number - 1 for number, _ in self._tables if number > header), len(self._lines))
        key = re.compile(rf"\s*[\"']?{re.escape(field)}[\"']?\s*=")
        return next((n for n in range(header + 1, end + 1) if field and key.match(self._lines[n - 1])), header)

    def below(self, index: int, table: str) -> "Lines":
        """Return the lines with the entries in *table* of the entry with *index*."""
        end = self._headers[index + 1] if index + 1 < len(self._headers) else _ALL.stop
        return Lines(self._text, table, below=self.table, within=range(self.of(index), end))

    def of_table(self, name: str) -> int:
        """Return the first line that sets or opens the top-level table *name*."""
        key = re.compile(rf"\s*\[*\s*[\"']?{re.escape(name)}[\"']?\s*(=|\]|\.)")
        return next((number for number, line in enumerate(self._lines, 1) if key.match(line)), 1)


def syntax_problem(error: ValueError) -> FormatProblem:
    """Return what tomllib says, with the position."""
    message = str(error)
    found = _TOML_POSITION.search(message)
    if found is None or found[1] is None:
        return FormatProblem(message)
    return FormatProblem(message[: found.start()], int(found[1]), int(found[2]))


def invalid_fields(
    error: ValidationError, data: Mapping[str, Any], lines: Lines, model: type[BaseModel]
) -> list[FormatProblem]:
    """Return a problem for each field of *data* that *error* is about, up to 100; *model* is that of a format."""
    schema = model.model_json_schema()["properties"]
    problems: dict[tuple[int | str, ...], FormatProblem] = {}
    for each in error.errors(include_url=False):
        place = each["loc"][:3]
        if len(problems) == _MAX_PROBLEMS:
            break
        if place not in problems:
            problems[place] = _problem(each["type"], each["msg"], place, data, lines, schema)
    return list(problems.values())


def _problem(
    kind: str,
    message: str,
    place: Sequence[int | str],
    data: Mapping[str, Any],
    lines: Lines,
    schema: Mapping[str, Any],
) -> FormatProblem:
    message = message.removeprefix("Value error, ")
    match place:
        case [lines.table, int(index), str(field)]:
            reason = _field_problem(kind, message, field, data[lines.table][index], schema)
            return FormatProblem(reason, lines.of(index, field), field=field)
        case [lines.table, int(index)]:
            return FormatProblem(message, lines.of(index))
        case [str(table), *_]:
            reason = f"{lines.table}s are tables that begin with [[{lines.table}]]"
            return FormatProblem(reason, lines.of_table(table), field=table)
        case _:
            return FormatProblem(message)


def _field_problem(kind: str, message: str, field: str, given: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(field, schema, n=1)
        hint = f', did you mean "{near[0]}"?' if near else "."
        return f"there is no such field{hint} The fields are: {', '.join(schema)}"
    if kind == "missing":
        return f"is missing; it must be {_allowed(field, schema[field])}"
    if kind == "value_error":
        return message
    value = json.dumps(given.get(field), ensure_ascii=False, default=str)
    shown = value if len(value) <= _MAX_VALUE else f"{value[:_MAX_VALUE]}…"
    return f"{shown} is not allowed; it must be {_allowed(field, schema[field])}"


def _allowed(field: str, schema: Mapping[str, Any]) -> str:
    """Describe what *schema*, that of a *field*, allows."""
    if field in _ALLOWED:
        return _ALLOWED[field]
    options = [each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]
    values = [value for each in options for value in each.get("enum", [])]
    if values:
        return f"one of {', '.join(values)}"
    (only,) = options
    return _range(only)


def _range(schema: Mapping[str, Any]) -> str:
    match schema:
        case {"type": "integer", "minimum": low}:
            return (
                f"a whole number from {low} to {schema['maximum']}"
                if "maximum" in schema
                else (f"a whole number of at least {low}")
            )
        case {"type": "number", "minimum": low, "maximum": high}:
            return f"a number from {low} to {high}"
        case {"type": "boolean"}:
            return "true or false"
        case {"maxLength": high}:
            return f"a text of at most {high} characters"
        case {"minLength": _}:
            return "a text that is not empty"
        case _:
            return "a text"
