"""What is worth knowing of an image before it is loaded: its shape, its colors, how it looks in a few bytes."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

FACTS_VERSION = 1
"""Of their definitions: facts that were made by others are made anew."""
THUMB_HASH_SIDE = 100
"""The longer side of the image that a ThumbHash is made of, in pixels: the maximum that its specification allows."""


_BASE64 = "(?:[A-Za-z0-9+/]{4}){1,11}(?:[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)?"

_Number = Annotated[int, Field(ge=1, lt=2**31)]


class Facts(BaseModel):
    """The facts of an image. They come from the sandbox, so they are checked like what a stranger sends."""

    model_config = ConfigDict(frozen=True)

    width: _Number
    """In pixels, as a person sees it: after its orientation."""
    height: _Number
    frames: _Number
    """1 if it is not animated."""
    alpha: bool
    """Whether anything shines through."""
    dominant_color: Annotated[str, Field(pattern="^#[0-9a-f]{6}$")]
    """The color that most of the first frame has."""
    thumb_hash: Annotated[str, Field(pattern=f"^{_BASE64}$")]
    """The ThumbHash of the first frame, in base64."""
    perceptual_hash: Annotated[str, Field(pattern="^([0-9a-f]{16})?$")]
    """64 bits, most of which are the same for images that look alike; "" of an image without any contrast."""
