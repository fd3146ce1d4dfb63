"""The formats file: the TOML file with the image formats, which users edit."""

import re
import tomllib
from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel, ValidationError

from imageconverter.images.image_formats import ImageFormat, ImageFormats


class FormatsFileError(ValueError):
    """The formats file cannot be used; the message names the file and the line."""


class _FormatsFile(BaseModel):
    format: list[ImageFormat] = []


def load_formats(path: Path | None) -> ImageFormats:
    """Read the catalog from *path*, or the shipped defaults; raises FormatsFileError with file and line."""
    source = path or files("imageconverter.images") / "formats.toml"
    try:
        text = source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FormatsFileError(f"{source}: {error}") from None
    try:
        # Stored formats are read tolerantly; in the file an unknown field is a typo.
        return ImageFormats(_FormatsFile.model_validate(tomllib.loads(text), extra="forbid").format)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = _line(text, first["loc"])
        field = ".".join(str(part) for part in first["loc"][2:])
        raise FormatsFileError(f"{source}, line {where}: {field}: {first['msg']}") from None
    except ValueError as error:  # TOMLDecodeError is one; it names the line itself
        raise FormatsFileError(f"{source}: {error}") from None


def _line(text: str, location: tuple[int | str, ...]) -> int:
    """Find the line that a validation error's *location* (format, index, field) speaks of.

    tomllib gives no positions, so the n-th ``[[format]]`` header and the key below it are looked up.
    """
    index = location[1] if len(location) > 1 and isinstance(location[1], int) else 0
    key = location[2] if len(location) > 2 else ""  # noqa: PLR2004 - (format, index, field)
    headers = [n for n, line in enumerate(text.splitlines(), 1) if re.match(r"\s*\[\[\s*format\s*\]\]", line)]
    start = headers[index] if index < len(headers) else 1
    for number, line in enumerate(text.splitlines()[start:], start + 1):
        if number in headers:
            break
        if re.match(rf"\s*{re.escape(str(key))}\s*=", line):
            return number
    return start
