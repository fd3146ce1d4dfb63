"""What one output is to look like."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

Fit = Literal["contain", "cover", "crop", "pad"]
OutputType = Literal["jpeg", "png", "webp", "avif", "gif"]

_LARGEST_SIDE = 16_384


class Target(BaseModel):
    """A box in pixels, how the picture fits it, and how the result is encoded."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, validate_by_name=True)

    max_width: int = Field(ge=1, le=_LARGEST_SIDE)
    max_height: int = Field(ge=1, le=_LARGEST_SIDE)
    fit: Fit = "contain"
    output: Literal["keep"] | OutputType = "keep"
    quality: int = Field(default=82, ge=1, le=100)
    background: str = Field(default="#ffffff", pattern=r"^#[0-9a-fA-F]{6}$")
    upscale: bool = False
