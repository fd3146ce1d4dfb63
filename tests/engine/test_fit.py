"""The orientation of an image, and how it fits its box."""

from typing import get_args

import pytest
from PIL import Image

from imageconverter.engine import OutputType
from imageconverter.engine.geometry import Size
from tests.testing import drawings, image_files
from tests.testing.image_assertions import converted, difference, is_near, is_upright

_LANCZOS = Image.Resampling.LANCZOS
_OUTPUTS: tuple[OutputType, ...] = get_args(OutputType)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("fit", "size"), [("contain", (40, 27)), ("cover", (60, 40)), ("crop", (40, 40)), ("pad", (40, 40))]
)
def test_every_fit_is_upright(fit: str, size: Size, orientation: int) -> None:
    """However the camera was held."""
    data = image_files.jpeg(image=drawings.corners((120, 80)), orientation=orientation)
    image = converted(data, 40, fit=fit)

    assert image.size == size
    assert is_upright(image.crop((0, 7, 40, 33)) if fit == "pad" else image)


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_crop_keeps_the_middle(orientation: int) -> None:
    """As a person sees it, in both directions."""
    stripes = Image.new("RGB", (160, 40), (0, 0, 255))
    stripes.paste((255, 0, 0), (60, 0, 100, 40))

    for upright in (stripes, stripes.transpose(Image.Transpose.ROTATE_90)):
        image = converted(image_files.png(image=upright, orientation=orientation), 20, fit="crop")

        assert image.size == (20, 20)
        assert all(is_near(pixel, (255, 0, 0), 60) for pixel in image.get_flattened_data())


@pytest.mark.parametrize(
    ("fit", "size"), [("contain", (96, 64)), ("cover", (96, 64)), ("crop", (96, 64)), ("pad", (300, 200))]
)
def test_a_small_image_is_not_enlarged(fit: str, size: Size) -> None:
    """A canvas is filled up, the image on it stays as it is."""
    image = converted(image_files.png(), max_width=300, max_height=200, fit=fit)
    middle = image.crop(((size[0] - 96) // 2, (size[1] - 64) // 2, (size[0] + 96) // 2, (size[1] + 64) // 2))

    assert image.size == size
    assert middle.tobytes() == drawings.photo().tobytes()


@pytest.mark.parametrize(
    ("fit", "size"), [("contain", (288, 192)), ("cover", (300, 200)), ("crop", (288, 200)), ("pad", (288, 200))]
)
def test_small_image_is_enlarged_with_upscale(fit: str, size: Size) -> None:
    """Smoothly."""
    image = converted(image_files.png(), max_width=288, max_height=200, fit=fit, upscale=True)
    inner = image.crop((0, 4, 288, 196)) if fit == "pad" else image

    assert image.size == size
    assert difference(inner.resize((96, 64), _LANCZOS), drawings.photo()) < 12


@pytest.mark.parametrize("output", _OUTPUTS)
def test_a_pad_shows_the_background_on_both_sides(output: OutputType) -> None:
    """In every output type."""
    image = converted(image_files.jpeg(), 48, fit="pad", background="#3366cc", output=output, quality=95).convert(
        "RGB"
    )

    assert image.size == (48, 48)
    for at in ((2, 2), (45, 2), (2, 45), (45, 45), (24, 4), (24, 43)):
        assert is_near(image.getpixel(at), (0x33, 0x66, 0xCC), 10)
    assert difference(image.crop((0, 8, 48, 40)), drawings.photo().resize((48, 32), _LANCZOS)) < 7
