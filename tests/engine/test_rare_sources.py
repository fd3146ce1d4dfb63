"""The source types that browsers do not show, read by Pillow and two more libraries."""

import io
import random
import sys
from collections.abc import Callable

import pytest
from PIL import Image

from imageconverter.engine import Converted, Failed, Limits, identify
from imageconverter.engine.decode import open_image
from imageconverter.engine.header import check_header
from imageconverter.engine.jxl import read_size
from imageconverter.engine.source_types import HEAD_BYTES, SOURCE_TYPES
from imageconverter.errors import ImageError, ImageTooLarge, Undecodable
from tests.testing import drawings, icc_profiles, more_files
from tests.testing.image_assertions import converted, difference, outcomes, result, target

_EACH = pytest.mark.parametrize(("name", "make"), more_files.SOURCES.items(), ids=more_files.SOURCES.keys())


@_EACH
def test_each_type_is_recognized(name: str, make: Callable[[], bytes]) -> None:
    """By its first bytes."""
    found = identify(make()[:HEAD_BYTES])

    assert found is not None
    assert name.startswith(found.name)
    assert found.name != "JPEG"


@_EACH
def test_each_type_is_converted(name: str, make: Callable[[], bytes]) -> None:
    """To a type that browsers show, with the same content."""
    expected = drawings.photo().resize((48, 32), Image.Resampling.LANCZOS)
    made = result(make(), 48, output="keep")

    assert made.output == ("jpeg" if name == "HEIC" else "png")
    assert difference(converted(make(), 48).convert("RGB"), expected) < 5


@pytest.mark.parametrize("make", [more_files.jxl, more_files.jpeg2000, more_files.tga, more_files.heic])
def test_transparency_is_kept(make: Callable[..., bytes]) -> None:
    """If the type has it."""
    disc = converted(make(image=drawings.cutout()), 96)

    assert disc.getchannel("A").getpixel((0, 0)) == 0
    assert disc.getchannel("A").getpixel((48, 32)) == 255


def test_an_icon_keeps_its_transparency() -> None:
    """Like other types."""
    assert converted(more_files.ico(image=drawings.cutout()), 96).getchannel("A").getpixel((0, 0)) == 0


@pytest.mark.parametrize("mode", ["L", "1"])
def test_a_pnm_can_be_gray_or_bilevel(mode: str) -> None:
    """PGM and PBM."""
    image = converted(more_files.pnm(image=drawings.photo().convert(mode)), 96)

    assert image.mode == "L"


def test_the_color_profile_of_a_heic_is_applied() -> None:
    """HEIC photographs of phones use Display P3."""
    as_srgb, as_p3 = (
        converted(more_files.heic(profile=profile), 96).convert("RGB") for profile in (b"", icc_profiles.p3_profile())
    )

    assert difference(as_p3, as_srgb) > 2


@pytest.mark.parametrize("size", [(96, 64), (64, 96), (8, 8), (256, 256), (1, 1), (3000, 7), (333, 222), (1000, 750)])
@pytest.mark.parametrize("container", [False, True])
def test_the_extents_of_a_jpeg_xl_are_in_its_header(size: tuple[int, int], container: bool) -> None:  # noqa: FBT001
    """In all encodings: small sizes, ratios, and numbers of bits."""
    assert read_size(io.BytesIO(more_files.jxl(size, container=container))) == size


@pytest.mark.parametrize(
    "data", [b"", b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n", b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\0jxlx"]
)
def test_a_jpeg_xl_without_extents_is_broken(data: bytes) -> None:
    """Its size is not taken as 0 by 0."""
    with pytest.raises(ImageError):
        check_header(io.BytesIO(data), Limits())


@pytest.mark.parametrize("make", more_files.BOMBS.values(), ids=more_files.BOMBS.keys())
def test_a_bomb_is_refused_before_it_is_decoded(make: Callable[[], bytes]) -> None:
    """Because of its size."""
    with pytest.raises((ImageTooLarge, Undecodable)):
        open_image(io.BytesIO(make()), Limits())


def test_a_missing_decoder_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The decoder of HEIC is an extra."""
    monkeypatch.setattr(
        "imageconverter.engine.decoders.available",
        lambda: frozenset(each.decoder for each in SOURCE_TYPES) - {"OWN-HEIF"},
    )

    with pytest.raises(Undecodable, match="HEIC files cannot be read by this installation"):
        open_image(io.BytesIO(more_files.heic()), Limits())


@_EACH
def test_a_broken_file_raises_only_image_errors(name: str, make: Callable[[], bytes]) -> None:
    """With flipped bits and truncated."""
    data = make()
    dice = random.Random(name)  # noqa: S311 - the same files in every run
    for _ in range(60):
        broken = bytearray(data)
        for _ in range(dice.choice((1, 1, 3, 20))):
            broken[dice.randrange(min(len(broken), dice.choice((64, 700, sys.maxsize))))] ^= 1 << dice.randrange(8)
        if dice.random() < 0.3:
            del broken[dice.randrange(len(broken)) :]
        _convert_or_refuse(bytes(broken))


def _convert_or_refuse(data: bytes) -> None:
    try:
        made = outcomes(data, target(24), limits=Limits(pixels=4_000_000))
    except ImageError as error:
        made = [Failed(error.reason)]

    assert all(each.data if isinstance(each, Converted) else each.reason for each in made)
