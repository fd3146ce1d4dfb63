"""The formats file: the TOML file with the image formats, which users edit."""

import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic.alias_generators import to_camel

from imageconverter.images.format_entry import FormatEntry
from imageconverter.images.format_problems import FormatProblem, Lines, invalid_fields, syntax_problem
from imageconverter.images.image_formats import ImageFormat, ImageFormats
from imageconverter.invalid_configuration import InvalidConfiguration

_DEFAULTS: Final = "formats.toml"
_MAX_SENT_BYTES: Final = 64 * 1024
_MAX_SENT_LINE: Final = 1000  # characters
_SENT: Final = "the formats"


class FormatsFileError(InvalidConfiguration):
    """The formats file cannot be used."""

    def __init__(self, file: object, problems: Sequence[FormatProblem]) -> None:
        """Say what is wrong with *file*."""
        super().__init__("\n".join(f"{file}: {problem}" for problem in problems))
        self.file = file
        self.problems = tuple(problems)


class _FormatsFile(BaseModel):
    format: list[FormatEntry] = []


class _Listed(NamedTuple):
    """A format of the catalog, and the number of its entry in the file."""

    entry: int
    format: ImageFormat


def load_formats(path: Path | None) -> ImageFormats:
    """Read the catalog from *path*, or the shipped defaults; raises FormatsFileError."""
    return parse_formats(formats_text(path), path or _DEFAULTS)


def formats_text(path: Path | None) -> str:
    """Return the text of the file at *path*, or of the shipped defaults; raises FormatsFileError."""
    return read_text(path or files("imageconverter.images") / _DEFAULTS)


def read_text(file: Path | Traversable) -> str:
    """Return the text of *file*; raises FormatsFileError."""
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise FormatsFileError(file, [FormatProblem(error.strerror or str(error))]) from None
    except UnicodeDecodeError:
        raise FormatsFileError(file, [FormatProblem("is not text in UTF-8")]) from None


def parse_formats(text: str, file: object) -> ImageFormats:
    """Return the catalog in *text*; raises FormatsFileError about *file*."""
    return formats_in(parse_toml(text, file), Lines(text), file)


def parse_toml(text: str, file: object) -> dict[str, Any]:
    """Return what *text* says; raises FormatsFileError about *file*."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FormatsFileError(file, [syntax_problem(error)]) from None
    except RecursionError:
        raise FormatsFileError(file, [FormatProblem("values are nested too deeply")]) from None


def formats_in(data: Mapping[str, Any], lines: Lines, file: object) -> ImageFormats:
    """Return the formats in *data*, whose entries are at *lines* of *file*; raises FormatsFileError."""
    try:
        # Stored formats are read tolerantly; in the file an unknown field is a typo.
        entries = _FormatsFile.model_validate(data, extra="forbid").format
    except ValidationError as error:
        raise FormatsFileError(file, invalid_fields(error, data, lines, FormatEntry)) from None
    listed, problems = _listed(entries, lines)
    problems += [*_repeated_ids(entries, listed, lines), *_common_paths(listed, lines)]
    if problems:
        raise FormatsFileError(file, problems)
    sets = {
        name: [f"{name}-{member.format.max_width}w" for member in listed if member.entry == index]
        for index, entry in enumerate(entries)
        if entry.widths
        for name in (entry.id, *entry.aliases)
    }
    return ImageFormats([each.format for each in listed], sets)


def parse_sent_formats(text: str) -> ImageFormats:
    """Return the formats in *text* that a client has sent; raises FormatsFileError, also for one that is too large.

    TOML can be made that takes minutes to parse: its time grows with the square of the number of parts of a name.
    """
    size = len(text.encode(errors="surrogatepass"))
    if size > _MAX_SENT_BYTES:
        raise FormatsFileError(_SENT, [FormatProblem(f"has {size} bytes; {_MAX_SENT_BYTES} are allowed here")])
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > _MAX_SENT_LINE:
            reason = f"has {len(line)} characters; {_MAX_SENT_LINE} are allowed here"
            raise FormatsFileError(_SENT, [FormatProblem(reason, number)])
    return parse_formats(text, _SENT)


def _listed(entries: Sequence[FormatEntry], lines: Lines) -> tuple[list[_Listed], list[FormatProblem]]:
    """Return the formats of all entries, and a problem for each entry whose fields do not fit."""
    listed, problems = [], []
    for index, entry in enumerate(entries):
        if found := entry.problem():
            field, reason = found
            problems.append(FormatProblem(reason, lines.of(index, field), field=field))
            continue
        try:
            listed += [_Listed(index, each) for each in entry.formats()]
        except ValidationError as error:
            field = to_camel(str(error.errors()[0]["loc"][0]))
            reason = "is too long for a set, which adds its widths"
            problems.append(FormatProblem(reason, lines.of(index, field), field=field))
    return listed, problems


def _repeated_ids(entries: Sequence[FormatEntry], listed: Sequence[_Listed], lines: Lines) -> list[FormatProblem]:
    names = [(index, "id", entry.id) for index, entry in enumerate(entries)]
    names += [(index, "aliases", alias) for index, entry in enumerate(entries) for alias in entry.aliases]
    names += [(index, "id", each.id) for index, each in listed if entries[index].widths]
    names += [(index, "aliases", alias) for index, each in listed if entries[index].widths for alias in each.aliases]
    problems = []
    first: dict[str, int] = {}
    for index, field, name in sorted(names, key=lambda each: each[0]):
        line = lines.of(index, field)
        if name in first:
            reason = f'"{name}" is used twice, first in line {first[name]}'
            problems.append(FormatProblem(reason, line, field=field))
        first.setdefault(name, line)
    return problems


def _common_paths(listed: Sequence[_Listed], lines: Lines) -> list[FormatProblem]:
    """Return a problem for each format that writes the same path as an earlier one, at least for some sources."""
    problems = []
    first: dict[tuple[str, str], _Listed] = {}
    for each in listed:
        other = each.format
        places = [(other.target_directory, output) for output in other.possible_outputs]
        earlier = next((first[place] for place in places if place in first), None)
        if earlier is not None:
            one = earlier.format
            common = [output for output in one.possible_outputs if output in other.possible_outputs]
            reason = (
                f'"{other.id}" would overwrite the images of "{one.id}" '
                f"(line {lines.of(earlier.entry, 'targetDirectory')}): "
                f'both write {", ".join(common)} files to "{one.target_directory}"'
            )
            problems.append(FormatProblem(reason, lines.of(each.entry, "targetDirectory"), field="targetDirectory"))
        for place in places:
            first.setdefault(place, each)
    return problems
