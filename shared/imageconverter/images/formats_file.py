"""The formats file: the TOML file with the image formats, which users edit."""

import tomllib
from collections.abc import Sequence
from importlib.resources import files
from itertools import combinations
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
    if problems := [*_repeated_ids(formats, lines), *_common_paths(formats, lines)]:
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


def _common_paths(formats: Sequence[ImageFormat], lines: Lines) -> list[str]:
    """Return a problem for each two formats that write the same path, at least for some sources."""
    problems = []
    for (first, one), (second, other) in combinations(enumerate(formats), 2):
        common = [output for output in one.possible_outputs if output in other.possible_outputs]
        if common and one.target_directory == other.target_directory:
            line, other_line = (lines.of(index, "targetDirectory") for index in (first, second))
            problems.append(
                f'line {other_line}: targetDirectory: "{other.id}" would overwrite the images of "{one.id}" '
                f'(line {line}): both write {", ".join(common)} files to "{one.target_directory}"'
            )
    return problems
