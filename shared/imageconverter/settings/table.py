"""All settings as a table, for documents."""

from collections.abc import Iterator
from typing import NamedTuple

from pydantic.fields import FieldInfo

from imageconverter.settings.loading import PARTS


class Variable(NamedTuple):
    """One environment variable, for documents and messages."""

    name: str
    part: str
    default: str
    description: str


def variables() -> Iterator[Variable]:
    """All environment variables in the order of the documents."""
    for part in PARTS.values():
        prefix = part.model_config["env_prefix"]
        for name, field in part.model_fields.items():
            yield Variable(prefix + name.upper(), part.title, _shown(field), field.description or "")


def settings_table() -> str:
    """Return all settings as Markdown: a table for each part."""
    lines: list[str] = []
    part = ""
    for variable in variables():
        if variable.part != part:
            part = variable.part
            lines += ["", f"### {part}", "", "| variable | default | meaning |", "|---|---|---|"]
        default = f"`{variable.default}`" if variable.default else ""
        lines.append(f"| `{variable.name}` | {default} | {variable.description} |")
    return "\n".join(lines[1:])


def _shown(field: FieldInfo) -> str:
    return "" if field.default is None else str(field.default)
