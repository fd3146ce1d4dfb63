"""The formats file: the TOML file with the image formats, which users edit."""

import tomllib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel, ValidationError

from imageconverter.images.format_problems import Lines, invalid_fields, syntax_problem
from imageconverter.images.image_formats import ImageFormat, ImageFormats


class FormatsFileError(ValueError):
    """The formats file cannot be used."""

    def __init__(self, file: object, problems: Sequence[str]) -> None:
        """Say what is wrong with *file*: *problems* begin with the line that they are about."""
        super().__init__("\n".join(f"{file}: {problem}" for problem in problems))
        self.problems = tuple(problems)


class _FormatsFile(BaseModel):
    format: list[ImageFormat] = []


def load_formats(path: Path | None) -> ImageFormats:
    """Read the catalog from *path*, or the shipped defaults; raises FormatsFileError."""
    file = path or files("imageconverter.images") / "formats.toml"
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise FormatsFileError(file, [error.strerror or str(error)]) from None
    except UnicodeDecodeError:
        raise FormatsFileError(file, ["is not text in UTF-8"]) from None
    return parse_formats(text, file)


def parse_formats(text: str, file: object) -> ImageFormats:
    """Return the catalog in *text*; raises FormatsFileError about *file*."""
    lines = Lines(text)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FormatsFileError(file, [syntax_problem(error)]) from None
    try:
        # Stored formats are read tolerantly; in the file an unknown field is a typo.
        formats = _FormatsFile.model_validate(data, extra="forbid").format
    except ValidationError as error:
        raise FormatsFileError(file, invalid_fields(error, data, lines, ImageFormat)) from None
    if problems := _repeated_ids(formats, lines):
        raise FormatsFileError(file, problems)
    return ImageFormats(formats)


def _repeated_ids(formats: Sequence[ImageFormat], lines: Lines) -> list[str]:
    problems = []
    first: dict[str, int] = {}
    for index, each in enumerate(formats):
        for field, name in [("id", each.id), *(("aliases", alias) for alias in each.aliases)]:
            line = lines.of(index, field)
            if name in first:
                problems.append(f'line {line}: {field}: "{name}" is used twice, first in line {first[name]}')
            first.setdefault(name, line)
    return problems
