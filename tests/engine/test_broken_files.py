"""Broken files and bombs."""

import random
import re
from collections.abc import Callable

import pytest

from imageconverter.engine import Converted, Failed, Limits
from imageconverter.errors import ImageError, ImageTooLarge
from tests.testing import broken_files, image_files
from tests.testing.image_assertions import outcomes, target


@pytest.mark.parametrize("make", broken_files.BOMBS.values(), ids=broken_files.BOMBS.keys())
def test_a_bomb_raises(make: Callable[[], bytes]) -> None:
    """The source is rejected, not one of its outputs."""
    with pytest.raises(ImageTooLarge, match="pixels"):
        outcomes(make(), target())


_MUTATED = [name for name in image_files.SOURCES if name not in ("PNG 16-bit RGB", "JPEG CMYK with profile")]


@pytest.mark.parametrize("name", _MUTATED)
def test_a_broken_file_raises_nothing_but_image_errors(name: str) -> None:
    """Bits flipped, bytes overwritten, ends cut off: it comes out, or is refused with a reason. Nothing warns."""
    data = image_files.SOURCES[name]()
    dice = random.Random(name)  # noqa: S311 - the same files in every run

    for _ in range(60):
        broken = bytearray(data)
        # headers are where the interesting bytes are
        span = len(broken) if dice.random() < 0.5 else min(len(broken), 700)
        match dice.randrange(4):
            case 0:
                del broken[dice.randrange(span) :]
            case 1:
                for _ in range(dice.choice((1, 1, 3, 20))):
                    broken[dice.randrange(span)] ^= 1 << dice.randrange(8)
            case 2:
                at = dice.randrange(span)
                broken[at : at + 4] = dice.choice(
                    (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0")
                )
            case _:
                at = dice.randrange(span)
                del broken[at : at + dice.randrange(1, 40)]
        _convert_or_refuse(bytes(broken))


@pytest.mark.parametrize("name", ["JPEG", "PNG", "GIF", "WebP", "AVIF", "TIFF", "BMP"])
def test_a_file_may_end_anywhere(name: str) -> None:
    """Every length of the header, and sixty of the rest."""
    data = image_files.SOURCES[name]()

    for length in [*range(64), *range(64, len(data), max(1, len(data) // 60))]:
        _convert_or_refuse(data[:length])


def _convert_or_refuse(data: bytes) -> None:
    """In this process, in which warnings are errors."""
    try:
        made = outcomes(data, target(24, output="jpeg"), target(8), limits=Limits(pixels=4_000_000))
    except ImageError as error:
        refused: list[Converted | Failed] = [Failed(error.reason)]
        made = refused

    for each in made:
        assert each.data if isinstance(each, Converted) else re.fullmatch(r"The [^\n]+", each.reason)
