"""Every file type becomes every output type."""

from collections.abc import Callable
from typing import get_args

import pytest
from PIL import Image

from imageconverter.engine import OutputType
from tests.testing import drawings, image_files
from tests.testing.image_assertions import converted, difference, opened, result, results, target

_LANCZOS = Image.Resampling.LANCZOS
_OUTPUTS: tuple[OutputType, ...] = get_args(OutputType)

# Sources that show `drawings.photo` in colors that need no more than 8 bits and no conversion.
_PHOTOS = [
    "JPEG",
    "JPEG progressive",
    "JPEG CMYK",
    "JPEG turned",
    "JPEG of several images",
    "PNG",
    "PNG palette",
    "PNG 16-bit RGB",
    "PNG animated",
    "GIF",
    "GIF animated",
    "WebP",
    "WebP animated",
    "AVIF",
    "AVIF animated",
    "BMP",
    "BMP OS/2",
    "TIFF",
    "TIFF LZW",
    "TIFF deflate",
    "TIFF CMYK",
    "TIFF LAB",
    "TIFF of several pages",
]


@pytest.mark.parametrize("make", image_files.SOURCES.values(), ids=image_files.SOURCES.keys())
def test_every_source_becomes_every_output(make: Callable[[], bytes]) -> None:
    """Each is what it says it is, of the size that it says."""
    data = make()
    made = results(data, *(target(32, output=output) for output in _OUTPUTS))
    size = made[0].size

    assert [each.output for each in made] == list(_OUTPUTS)
    for each in made:
        image = opened(each.data)
        assert image.format == each.output.upper()
        assert image.size == each.size == size
        assert max(size) == min(32, max(opened(data).size))
        assert each.seconds > 0


@pytest.mark.parametrize("name", _PHOTOS)
def test_every_source_shows_what_it_shows(name: str) -> None:
    """Smaller, but not darker, not inverted, not turned."""
    expected = drawings.photo().resize((48, 32), _LANCZOS)

    assert difference(converted(image_files.SOURCES[name](), 48).convert("RGB"), expected) < 5


@pytest.mark.parametrize("name", ["JPEG", "PNG", "GIF", "WebP", "AVIF", "TIFF", "BMP"])
def test_keep_keeps_what_browsers_show(name: str) -> None:
    """The others become PNG."""
    kept = result(image_files.SOURCES[name](), output="keep")

    assert kept.output == {"TIFF": "png", "BMP": "png"}.get(name, name.lower())


@pytest.mark.parametrize("kind", ["GIF", "WebP", "PNG", "AVIF"])
def test_an_animation_that_cannot_stay_one_comes_out_with_a_warning(kind: str) -> None:
    """Its first frame is what comes out."""
    moving, still = (result(image_files.SOURCES[name](), 96, animation=False) for name in (f"{kind} animated", kind))

    assert moving.warning == "Only the first frame of the animation was converted."
    assert still.warning == ""
    assert difference(opened(moving.data).convert("RGB"), drawings.photo()) < 5


@pytest.mark.parametrize("output", _OUTPUTS)
def test_gray_stays_grey(output: OutputType) -> None:
    """Through all steps."""
    image = converted(image_files.grey_jpeg(), 48, output=output)
    red, _, blue = image.convert("RGB").split()

    assert difference(red, blue) < 0.5
    assert image.mode == {"webp": "RGB", "gif": "P"}.get(output, "L")
