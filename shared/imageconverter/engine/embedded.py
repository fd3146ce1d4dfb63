"""What is written into an output besides its pixels: credits and color profile of the source, and the resolution."""

from collections.abc import Sequence
from typing import IO, Any, NamedTuple

from PIL import Image

from imageconverter.engine import color
from imageconverter.engine.decode import ImageInfo
from imageconverter.engine.metadata import read_metadata
from imageconverter.engine.output_types import OUTPUT_TYPES
from imageconverter.engine.target import OutputType, Target

_ARTIST, _COPYRIGHT = 0x013B, 0x8298
_MAX_PROFILE = 1_000_000  # bytes


class Embedded(NamedTuple):
    """What an output keeps of its source's metadata."""

    exif: bytes = b""
    """An EXIF block with the artist and the copyright."""
    profile: bytes = b""
    """The ICC profile, in whose color space the pixels stay."""

    def options(self, output: OutputType, target: Target) -> dict[str, Any]:
        """Return Pillow's options for a file of the type *output*."""
        given: dict[str, Any] = {"exif": self.exif, "icc_profile": self.profile}
        if target.dpi and OUTPUT_TYPES[output].resolution:
            given["dpi"] = (target.dpi, target.dpi)
        return {name: value for name, value in given.items() if value}

    def of(self, output: OutputType, target: Target) -> "Embedded":
        """Return what a file of the type *output* keeps of it. A profile for RGB says nothing of grays."""
        if not OUTPUT_TYPES[output].metadata:
            return NOTHING
        return Embedded(
            self.exif if "copyright" in target.keep else b"",
            self.profile if "icc" in target.keep and not target.gray else b"",
        )


NOTHING = Embedded()


def read_embedded(source: IO[bytes], image: Image.Image, info: ImageInfo, targets: Sequence[Target]) -> Embedded:
    """Read what the *targets* keep of the metadata of *image*, which was opened from *source*."""
    wanted = {name for target in targets for name in target.keep}
    return Embedded(
        _credits(source, image, info) if "copyright" in wanted else b"",
        _profile(image, info) if "icc" in wanted else b"",
    )


def _credits(source: IO[bytes], image: Image.Image, info: ImageInfo) -> bytes:
    """Return an EXIF block with artist and copyright of the opened *source*, b"" if its own has neither."""
    found = read_metadata(source, image, info).get("Exif", {})
    block = Image.Exif()
    for tag, name in ((_ARTIST, "Artist"), (_COPYRIGHT, "Copyright")):
        if name in found and isinstance(text := found[name]["value"], str):
            block[tag] = text.encode()  # Pillow would write a text as ASCII
    return block.tobytes() if block else b""


def _profile(image: Image.Image, info: ImageInfo) -> bytes:
    """Return the profile that the colors of an opened *image* may keep: for RGB, and not large; else b""."""
    profile = info.color.profile
    if info.color.high_dynamic_range is not None or color.eight_bit_mode(image.mode) != "RGB":
        return b""
    return profile if 0 < len(profile) <= _MAX_PROFILE and color.is_reversible(profile) else b""
