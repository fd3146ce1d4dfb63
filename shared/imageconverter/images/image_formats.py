"""Image formats in the shop's sense: named target sizes."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Annotated, Final, Literal

from pydantic import Field, field_validator

from imageconverter.engine.source_types import KEPT_AS
from imageconverter.engine.target import OutputType, Target, VariantType
from imageconverter.errors import InvalidValue
from imageconverter.images.names import directory_path, suffix
from imageconverter.quoting import listed, quoted

ID_PREFIX = "content.imageFormat."

ImageType = Literal["product", "category", "app"]
Follow = Literal["off", "mark", "trash"]
# The digest covers these always, and fields of later releases only if they are set.
_DIGEST_FIELDS: Final = frozenset({
    "max_width", "max_height", "fit", "focus", "fill", "auto_rotate", "output", "quality", "lossless", "chroma",
    "progressive", "max_kilobytes", "animation", "background", "upscale", "least_side", "comment",
    "id", "aliases", "name", "type", "target_directory", "source_directory",
})  # fmt: skip
_Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class ImageFormat(Target):
    """One named target size: where its images are stored and how they are made (see `formats.toml`)."""

    id: _Id
    aliases: tuple[_Id, ...] = ()
    name: str = Field(min_length=1)
    type: ImageType
    target_directory: str
    source_directory: str = ""
    automatic: bool = False
    """Whether what comes into the source directory is converted without a request."""
    follow: Follow = "off"
    """What a scan does with outputs whose source is gone: nothing, mark them as orphans, move them to the trash."""

    @property
    def node_id(self) -> str:
        """The id as clients write it, for example ``content.imageFormat.normalProduct``."""
        return ID_PREFIX + self.id

    @property
    def alias_node_ids(self) -> tuple[str, ...]:
        """The aliases as clients write them."""
        return tuple(ID_PREFIX + alias for alias in self.aliases)

    def digest(self) -> str:
        """Return a hash of the format; a field that a release adds changes it only if it is set."""
        return hashlib.sha256(_digest_text(self).encode()).hexdigest()

    def as_target(self) -> Target:
        """Return only what the engine needs to know."""
        return Target(**{name: getattr(self, name) for name in Target.model_fields})

    @field_validator("target_directory", "source_directory", "watermark")
    @classmethod
    def _safe(cls, value: str) -> str:
        try:
            return directory_path(value) if value else ""
        except InvalidValue as error:
            raise ValueError(error.reason) from None


class ImageFormats(Mapping[str, ImageFormat]):
    """The configured formats by node id, in the order of the file. Aliases are found but not listed.

    A set is an id that stands for several formats: it can be selected, but is no format itself.
    """

    def __init__(self, formats: Sequence[ImageFormat], sets: Mapping[str, Sequence[str]] | None = None) -> None:
        """Index *formats*; raises ValueError if an id or alias occurs twice.

        *sets* has the ids of the members by the id of the set.
        """
        self._listed = {f.node_id: f for f in formats}
        self._known: dict[str, ImageFormat] = {}
        for each in formats:
            for name in (each.id, *each.aliases):
                if ID_PREFIX + name in self._known:
                    raise ValueError(f"the id {name!r} occurs twice")
                self._known[ID_PREFIX + name] = each.model_copy(update={"id": name})
        self.sets: Mapping[str, tuple[str, ...]] = {
            ID_PREFIX + name: tuple(ID_PREFIX + member for member in members)
            for name, members in (sets or {}).items()
        }
        """The node ids of the members, from the narrowest to the widest, by the node id of the set."""

    def __getitem__(self, node_id: str) -> ImageFormat:
        return self._known[node_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._listed)

    def __len__(self) -> int:
        return len(self._listed)

    def variants_at(self, path: str) -> tuple[VariantType, ...]:
        """Return the variants that an output at *path* may have, by the formats that write such files there."""
        directory, _, name = path.rpartition("/")
        return self._variants.get((directory, KEPT_AS.get(suffix(name))), ())

    @cached_property
    def _variants(self) -> Mapping[tuple[str, OutputType | None], tuple[VariantType, ...]]:
        """By target directory and output type, which no two formats have in common."""
        return {
            (each.target_directory, output): each.variants
            for each in self._listed.values()
            if each.variants
            for output in each.possible_outputs
        }

    def digest(self) -> str:
        """Return a hash of all formats; a field that a release adds changes it only if it is set."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        text = "".join(_digest_text(each) for each in self._listed.values())
        return hashlib.sha256(text.encode()).hexdigest()

    def select(self, node_ids: Sequence[str], *, field: str = "formats") -> list[ImageFormat]:
        """Return the formats named by *node_ids*, or by sets, each once.

        Raises InvalidValue for none and for an unknown id; they are in the *field* of the request.
        """
        if not node_ids:
            raise InvalidValue("At least one format is needed.", field=field)
        expanded = [member for node_id in node_ids for member in self.sets.get(node_id, (node_id,))]
        unknown = next((node_id for node_id in expanded if node_id not in self._known), None)
        if unknown is not None:
            there = listed([*self.sets, *self]) or "none"
            reason = f"The image format {quoted(unknown)} is not configured; there are: {there}."
            raise InvalidValue(reason, field=field)
        return [self._known[node_id] for node_id in dict.fromkeys(expanded)]


def _digest_text(each: ImageFormat) -> str:
    added = ImageFormat.model_fields.keys() - _DIGEST_FIELDS
    unset = {name for name in added if name not in each.model_dump(exclude_defaults=True)}
    return each.model_dump_json(exclude=unset)
