"""An entry of the formats file: a format, or a set of formats of several widths."""

from typing import Annotated, Any

from pydantic import Field, model_validator
from pydantic.alias_generators import to_camel

from imageconverter import keys
from imageconverter.engine.face_extra import finds_faces
from imageconverter.engine.target import MAX_SIDE
from imageconverter.images.image_formats import ImageFormat

_MAX_WIDTHS = 16  # a srcset looks each of them up
_OF_WATERMARK = {"watermark_position", "watermark_width", "watermark_opacity"}
_Side = Annotated[int, Field(ge=1, le=MAX_SIDE)]


class FormatEntry(ImageFormat):
    """What a `[[format]]` says."""

    widths: tuple[_Side, ...] = Field(default=(), min_length=1, max_length=_MAX_WIDTHS)
    """Those of a set, instead of a width."""
    focal_point: Annotated[bool, Field(strict=True)] = True

    @model_validator(mode="before")
    @classmethod
    def _with_free_box(cls, data: Any) -> Any:
        if isinstance(data, dict) and "widths" in data:
            return {"maxWidth": None, "maxHeight": None, **data}
        return data

    def problem(self) -> tuple[str, str] | None:
        """Return a field that does not fit the others, and why; None if there is no such field."""
        if self.quality != "auto" and "target_score" in self.model_fields_set:
            return "targetScore", 'must not be there unless quality is "auto"'
        if self.target_directory.split("/")[0] == keys.SIGNED:
            return "targetDirectory", f'must not begin with "{keys.SIGNED}", which is for signed URLs'
        if reason := self._variants_problem():
            return "variants", reason
        if self.focus == "face" and not finds_faces():
            return "focus", 'must not be "face" without the extra faces, which is not installed (docs/formats.md)'
        if not self.watermark and (alone := sorted(self.model_fields_set & _OF_WATERMARK)):
            return to_camel(alone[0]), "must not be there without watermark"
        return self._automatic_problem() or (self._set_problem() if self.widths else None)

    def _automatic_problem(self) -> tuple[str, str] | None:
        if self.automatic and self.source_directory.partition("/")[0] in ("", keys.UPLOADS):
            return "automatic", "must not be true without a sourceDirectory, which is none of uploads"
        if self.follow != "off" and not self.automatic:
            return "follow", 'must be "off" unless automatic is true'
        return None

    def _set_problem(self) -> tuple[str, str] | None:
        if self.max_width is not None:
            return "maxWidth", "must not be there, because the entry has widths"
        if self.upscale:
            return "upscale", "must not be true, because a set never enlarges an image"
        return None

    def _variants_problem(self) -> str:
        if self.output in self.variants:
            return f'must not have "{self.output}", because that is the output'
        if self.lossless and "avif" in self.variants:
            return 'must not have "avif" if the format is lossless, because AVIF is not'
        return ""

    def formats(self) -> list[ImageFormat]:
        """Return the format, or those of the set from the narrowest to the widest.

        Raises pydantic's ValidationError if an id or a directory is too long for the suffix.
        """
        fields = self.model_dump(exclude={"widths"})
        if not self.widths:
            return [ImageFormat.model_validate(fields)]
        return [ImageFormat.model_validate(fields | self._member(width)) for width in sorted(set(self.widths))]

    def _member(self, width: int) -> dict[str, Any]:
        height = self.max_height and max(1, round(self.max_height * width / max(self.widths)))
        return {
            "id": f"{self.id}-{width}w",
            "aliases": [f"{alias}-{width}w" for alias in self.aliases],
            "name": f"{self.name} {width}",
            "target_directory": f"{self.target_directory}/{width}w",
            "max_width": width,
            "max_height": height,
        }
