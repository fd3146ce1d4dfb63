"""What one output is to look like."""

from collections.abc import Sequence
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

Fit = Literal["contain", "cover", "crop", "pad"]
OutputType = Literal["jpeg", "png", "webp", "avif", "gif"]
Output = Literal["keep", "auto"] | OutputType
VariantType = Literal["avif", "webp"]
"""A type that most browsers show, but not all programs."""
Share = Annotated[float, Field(ge=0, le=1)]
Quality = Annotated[int, Field(ge=1, le=100)]


def _stored_focus(value: object) -> object:
    return "centre" if value == "center" else value


Point = tuple[Share, Share]
"""In shares of width and height."""
FoundFocus = Literal["entropy", "saliency", "face"]
"""What is looked for in the pixels."""
Focus = Annotated[Literal["centre"] | FoundFocus | Point, BeforeValidator(_stored_focus)]
"""`center` is accepted too, but stored as `centre`: digests and fingerprints do not depend on the spelling."""

MAX_SIDE = 16_384  # pixels

CornerRadius = Annotated[int, Field(ge=0, le=MAX_SIDE, strict=True)] | Literal["max"]


def _each_once(types: Sequence[VariantType]) -> tuple[VariantType, ...]:
    return tuple(sorted(set(types)))


Position = Literal[
    "center", "top", "bottom", "left", "right", "topLeft", "topRight", "bottomLeft", "bottomRight", "repeat"
]


class Target(BaseModel):
    """A box in pixels, how the image fits it, and how the result is encoded. A side of the box may be free.

    Targets are stored in jobs and runs, which releases share during an upgrade: unknown fields are ignored, and a
    new field needs a default that leaves the output as it was.
    """

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, validate_by_name=True)

    max_width: int | None = Field(ge=1, le=MAX_SIDE)
    max_height: int | None = Field(ge=1, le=MAX_SIDE)
    fit: Fit = "contain"
    focus: Focus = "centre"
    """What a crop keeps: the middle, the part with most detail, the one that stands out most, faces, or a point."""
    focal_point: Annotated[bool, Field(strict=True)] | Point = True
    """What wins over the focus: the focal point of the source, if it has one and this is not false. Where that point
    is known, it is here.
    """
    fill: bool = False
    """Whether a crop is filled up to the box with the background where the image is smaller."""
    auto_rotate: bool = True
    """Whether the EXIF orientation is applied."""
    output: Output = "keep"
    """`keep` is the source's own type, `auto` is PNG where something is transparent and else JPEG."""
    quality: Quality | Literal["auto"] = 82
    """For JPEG, WebP and AVIF; `auto` is the lowest one that has the target score."""
    target_score: int = Field(default=80, ge=1, le=100)
    """How good an image of the quality `auto` looks, about on the scale of SSIMULACRA2."""
    lossless: bool = False
    """For WebP: every pixel exactly."""
    chroma: Literal["4:2:0", "4:4:4"] = "4:2:0"
    """How finely JPEG and AVIF keep colors: at half the resolution, or at all of it."""
    progressive: bool = False
    """For JPEG: shown coarse first while it loads."""
    encoder: Literal["standard", "small"] = "standard"
    """For JPEG: `small` takes more time for fewer bytes where it can."""
    max_kilobytes: int | None = Field(default=None, ge=1)
    """For JPEG, WebP and AVIF: the quality is lowered until the file is no larger (1000 bytes each)."""
    animation: bool = True
    """Whether an animation stays one where the output type can hold it."""
    reencode: bool = False
    """Whether the coded data of a source are never kept, not even if the output is the same image."""
    background: str = Field(default="#ffffff", pattern=r"^(#[0-9a-fA-F]{6}|dominant)$")
    """A color, or `dominant`: the one that most of the image has."""
    upscale: bool = False
    least_side: int = Field(default=1, ge=1, le=16)
    """How thin a scaled image may become, in pixels."""
    comment: str = Field(default="", max_length=200)
    """Written into JPEG, PNG and GIF files."""
    sharpen: int = Field(default=0, ge=0, le=200, strict=True)
    """How much the edges of an image that was made smaller are sharpened, in percent."""
    corner_radius: CornerRadius = 0
    """Of rounded corners, in pixels; `max` makes a circle of a square."""
    gray: bool = False
    """Whether colors become grays."""
    trim: int | None = Field(default=None, ge=0, le=255, strict=True)
    """By how many levels the pixels of a border, which is cut off, may differ from its color."""
    keep: tuple[Literal["copyright", "icc"], ...] = ()
    """What stays of the metadata: the artist and the copyright in EXIF; a color profile, and the colors in it."""
    dpi: int | None = Field(default=None, ge=1, le=9600, strict=True)
    """The resolution that JPEG and PNG files state, in pixels an inch."""
    watermark: str = Field(default="", max_length=900)
    """The path in the source tree of an image that is laid over; "" for none."""
    watermark_position: Position = "center"
    """Where it goes; `repeat` covers the image with it."""
    watermark_width: float = Field(default=0.25, ge=0.01, le=1)
    """Its share of the width of the output."""
    watermark_opacity: float = Field(default=1, ge=0.01, le=1)
    variants: Annotated[tuple[VariantType, ...], AfterValidator(_each_once)] = ()
    """The smaller types that are made besides the output, in the order of the alphabet."""

    @property
    def without_variants(self) -> "Target":
        """The same target, of which only the output itself is made."""
        return self.model_copy(update={"variants": ()}) if self.variants else self

    @property
    def looks_for_faces(self) -> bool:
        """Whether it keeps the faces in an image."""
        return self.fit == "crop" and self.focus == "face"

    @property
    def uses_focal_point(self) -> bool:
        """Whether it depends on the focal point of a source."""
        return self.fit == "crop" and self.focal_point is True

    def aimed_at(self, point: Point | None) -> "Target":
        """Return the target for a source that has the focal point *point*, None if it has none."""
        return self.model_copy(update={"focal_point": point}) if point is not None and self.uses_focal_point else self

    @property
    def possible_outputs(self) -> tuple[OutputType, ...]:
        """The types that the output may have, depending on the source."""
        match self.output:
            case "keep":
                return get_args(OutputType)
            case "auto":
                return "jpeg", "png"
            case only:
                return (only,)
