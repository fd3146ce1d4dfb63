"""The subshops file: the TOML file with the subshops, which users edit."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic.alias_generators import to_camel

from imageconverter import keys
from imageconverter.errors import InvalidValue
from imageconverter.images.format_problems import FormatProblem, Lines, invalid_fields
from imageconverter.images.formats_file import FormatsFileError, formats_in, parse_toml, read_text
from imageconverter.images.image_formats import ID_PREFIX, ImageFormat, ImageFormats
from imageconverter.images.names import directory_path
from imageconverter.images.subshops import Subshop, Subshops

_HOST = r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*$"
_OF_OTHERS = ("targetPrefix", "inheritFormats", "format")


class _Entry(BaseModel):
    """What a `[[subshop]]` says."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True, strict=True)

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    name: Annotated[str, Field(min_length=1, max_length=100)]
    content_host: Annotated[str, Field(pattern=_HOST, max_length=253)] = ""
    target_prefix: str = ""
    inherit_formats: bool = True
    format: list[Any] = []

    @field_validator("target_prefix")
    @classmethod
    def _is_directory(cls, value: str) -> str:
        try:
            value = directory_path(value)
        except InvalidValue as error:
            raise ValueError(error.reason) from None
        if value.split("/")[0] == keys.SIGNED:
            raise ValueError(f'must not begin with "{keys.SIGNED}", which is for signed URLs')
        return value


class _SubshopsFile(BaseModel):
    subshop: list[_Entry] = []


class _Written(NamedTuple):
    """A format of a subshop, and the number of that subshop's entry."""

    entry: int
    format: ImageFormat


def load_subshops(path: Path, formats: ImageFormats) -> Subshops:
    """Read the subshops from *path*; *formats* are those of the formats file. Raises FormatsFileError."""
    return parse_subshops(read_text(path), path, formats)


def parse_subshops(text: str, file: object, formats: ImageFormats) -> Subshops:
    """Return the subshops in *text*; raises FormatsFileError about *file*."""
    data, lines = parse_toml(text, file), Lines(text, "subshop")
    try:
        entries = _SubshopsFile.model_validate(data, extra="forbid").subshop
    except ValidationError as error:
        raise FormatsFileError(file, invalid_fields(error, data, lines, _Entry)) from None
    if not entries:
        raise FormatsFileError(file, [FormatProblem("has no [[subshop]]; the first one is the default")])
    problems = [*_not_for_default(data, lines), *_repeated(entries, lines), *_overlapping(entries, formats, lines)]
    if problems:
        raise FormatsFileError(file, problems)
    subshops = [_subshop(index, each, formats, lines, file) for index, each in enumerate(entries)]
    if problems := list(_overwriting(subshops, lines)):
        raise FormatsFileError(file, problems)
    return Subshops(subshops)


def _subshop(index: int, entry: _Entry, formats: ImageFormats, lines: Lines, file: object) -> Subshop:
    own = formats_in({"format": entry.format}, lines.below(index, "format"), file)
    if index:
        inherited = formats if entry.inherit_formats else ImageFormats([])
        try:
            formats = _below(entry.target_prefix, inherited, own)
        except ValidationError:
            reason = "makes the path of a target directory longer than 900 bytes"
            problem = FormatProblem(reason, lines.of(index, "targetPrefix"), field="targetPrefix")
            raise FormatsFileError(file, [problem]) from None
        if not formats:
            reason = "must not be false without a [[subshop.format]]"
            problem = FormatProblem(reason, lines.of(index, "inheritFormats"), field="inheritFormats")
            raise FormatsFileError(file, [problem])
    return Subshop(entry.id, entry.name, formats, entry.content_host, entry.target_prefix)


def _below(prefix: str, inherited: ImageFormats, own: ImageFormats) -> ImageFormats:
    """Return *own* formats and those of *inherited* that have other ids, with target directories below *prefix*.

    Raises pydantic's ValidationError if a directory is too long.
    """
    taken = {name for each in own.values() for name in (each.node_id, *each.alias_node_ids)} | own.sets.keys()
    sets = {name: members for name, members in inherited.sets.items() if name not in taken}
    left_out = {member for name in inherited.sets.keys() - sets.keys() for member in inherited.sets[name]}
    left_out -= {member for members in sets.values() for member in members}
    kept = [
        own.get(node_id)
        or each.model_copy(update={"aliases": tuple(name for name in each.aliases if ID_PREFIX + name not in taken)})
        for node_id, each in inherited.items()
        if node_id in own or node_id not in taken | left_out
    ]
    formats = [
        ImageFormat.model_validate(
            each.model_dump() | ({"target_directory": f"{prefix}/{each.target_directory}"} if prefix else {})
        )
        for each in (*kept, *(each for node_id, each in own.items() if node_id not in inherited))
    ]
    return ImageFormats(
        formats,
        {
            name.removeprefix(ID_PREFIX): [member.removeprefix(ID_PREFIX) for member in members]
            for name, members in (sets | dict(own.sets)).items()
        },
    )


def _not_for_default(data: Mapping[str, Any], lines: Lines) -> Iterator[FormatProblem]:
    for field in _OF_OTHERS:
        if field in data["subshop"][0]:
            reason = "must not be there: the first subshop is the default, it has the formats file and the whole tree"
            yield FormatProblem(reason, lines.of(0, field), field=field)


def _repeated(entries: Sequence[_Entry], lines: Lines) -> Iterator[FormatProblem]:
    values = [(index, "id", each.id) for index, each in enumerate(entries)]
    values += [
        (index, "contentHost", Subshop("", "", ImageFormats([]), each.content_host).host_name)
        for index, each in enumerate(entries)
        if each.content_host
    ]
    first: dict[tuple[str, str], int] = {}
    for index, field, value in values:
        line = lines.of(index, field)
        if (field, value) in first:
            reason = f'"{value}" is used twice, first in line {first[field, value]}'
            yield FormatProblem(reason, line, field=field)
        first.setdefault((field, value), line)


def _overlapping(entries: Sequence[_Entry], formats: ImageFormats, lines: Lines) -> Iterator[FormatProblem]:
    """Yield a problem for each prefix that is, contains or is inside a directory of another subshop."""
    prefixes = [each.target_prefix for each in entries]
    for index, prefix in enumerate(prefixes):
        if not prefix:
            continue
        line = lines.of(index, "targetPrefix")
        for other in prefixes[:index]:
            if other and _overlap(prefix, other):
                yield FormatProblem(f'overlaps with the prefix "{other}"', line, field="targetPrefix")
        for each in formats.values():
            if _overlap(prefix, each.target_directory):
                reason = f'overlaps with "{each.target_directory}", where the format "{each.id}" has its images'
                yield FormatProblem(reason, line, field="targetPrefix")


def _overlap(one: str, other: str) -> bool:
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")


def _overwriting(subshops: Sequence[Subshop], lines: Lines) -> Iterator[FormatProblem]:
    """Yield a problem for each format that writes the same paths as another one of an earlier subshop."""
    prefixes = [each.target_prefix for each in subshops if each.target_prefix]
    first: dict[tuple[str, str], _Written] = {}
    for index, subshop in enumerate(subshops):
        for each in subshop.formats.values():
            inside = next((prefix for prefix in prefixes if _overlap(each.target_directory, prefix)), "")
            if inside != subshop.target_prefix:
                reason = f'the format "{each.id}" has its images in "{inside}", the prefix of another subshop'
                yield FormatProblem(reason, lines.of(index), field="format")
                continue
            places = [(each.target_directory, output) for output in each.possible_outputs]
            earlier = next((first[place] for place in places if place in first), None)
            if earlier is not None and (earlier.format.id, earlier.format.as_target()) != (each.id, each.as_target()):
                reason = (
                    f'"{each.id}" would overwrite the images of "{earlier.format.id}" of the subshop '
                    f'"{subshops[earlier.entry].id}": both write to "{each.target_directory}"'
                )
                yield FormatProblem(reason, lines.of(index), field="format")
            for place in places:
                first.setdefault(place, _Written(index, each))
