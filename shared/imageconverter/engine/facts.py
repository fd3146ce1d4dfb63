"""What is worth knowing of an image before it is loaded: its shape, its colors, how it looks in a few bytes."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

FACTS_VERSION = 1
"""Of their definitions: facts that were made by others are made anew."""
THUMB_HASH_SIDE = 100
"""The longer side of the image that a ThumbHash is made of, in pixels: the maximum that its specification allows."""


class Facts(BaseModel):
    """The facts of an image."""

    model_config = ConfigDict(frozen=True)

    width: PositiveInt
    """In pixels, as a person sees it: after its orientation."""
    height: PositiveInt
    frames: PositiveInt
    """1 if it is not animated."""
    alpha: bool
    """Whether anything shines through."""
    dominant_color: Annotated[str, Field(pattern="^#[0-9a-f]{6}$")]
    """The color that most of the first frame has."""
    thumb_hash: Annotated[str, Field(pattern="^[A-Za-z0-9+/]{7,48}={0,2}$")]
    """The ThumbHash of the first frame, in base64."""
    perceptual_hash: Annotated[str, Field(pattern="^([0-9a-f]{16})?$")]
    """64 bits, most of which are the same for images that look alike; "" of an image without any contrast."""
