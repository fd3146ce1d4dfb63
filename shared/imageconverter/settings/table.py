"""The settings as a table for the documentation."""

from collections.abc import Iterator
from typing import NamedTuple

from pydantic.fields import FieldInfo

from imageconverter.settings.loading import PARTS


class Variable(NamedTuple):
    """One environment variable."""

    name: str
    part: str
    default: str
    description: str


def variables() -> Iterator[Variable]:
    """Yield all environment variables in the order of the documentation."""
    for part in PARTS.values():
        prefix = part.model_config["env_prefix"]
        for name, field in part.model_fields.items():
            yield Variable(prefix + name.upper(), part.title, _default_text(field), field.description or "")


def settings_table() -> str:
    """Return all settings in Markdown, with a table for each part."""
    lines: list[str] = []
    part = ""
    for variable in variables():
        if variable.part != part:
            part = variable.part
            lines += ["", f"### {part}", "", "| variable | default | meaning |", "|---|---|---|"]
        default = f"`{variable.default}`" if variable.default else ""
        lines.append(f"| `{variable.name}` | {default} | {variable.description} |")
    return "\n".join(lines[1:])


def _default_text(field: FieldInfo) -> str:
    return "" if field.default is None else str(field.default)
