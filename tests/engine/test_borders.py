"""Uniform borders are cut off, as far as they are uniform."""

import io
import subprocess
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imageconverter.engine.borders import inner_box
from tests.testing import drawings, image_files
from tests.testing.image_assertions import converted, difference, opened, result, results, target
from tests.testing.oracles import MAGICK

_WHITE, _GRAY = (255, 255, 255), (250, 250, 250)
_BOX = (20, 12, 116, 76)  # of a photograph of 96 x 64


def _framed(color: tuple[int, ...] = _WHITE, *, mode: str = "RGB", size: tuple[int, int] = (150, 300)) -> Image.Image:
    image = Image.new(mode, size, color)
    image.paste(drawings.photo().convert(mode), _BOX)
    return image


def _saved(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("color", [_WHITE, (0, 0, 0), (200, 30, 90)])
def test_the_image_without_its_borders_is_what_is_converted(color: tuple[int, int, int]) -> None:
    """Pixel for pixel if it need not be resized, else as if it had never had any."""
    source = _saved(_framed(color))
    whole, small = results(source, target(400, trim=0), target(48, trim=0))

    assert opened(whole.data).tobytes() == drawings.photo().tobytes()
    assert difference(opened(small.data), converted(_saved(drawings.photo()), 48)) < 1


@MAGICK
def test_other_programs_cut_off_the_same(program: str) -> None:
    """Of a drawing with a frame of one color."""
    source = _saved(_framed((10, 20, 30)))
    command = [*program.split(), "png:-", "-trim", "+repage", "png:-"]
    expected = Image.open(io.BytesIO(subprocess.run(command, input=source, capture_output=True, check=True).stdout))

    assert opened(result(source, 400, trim=0).data).tobytes() == expected.convert("RGB").tobytes()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F"])
def test_every_mode_has_borders(mode: str) -> None:
    """As decoders hand them over."""
    image = Image.new("RGB", (40, 600), _WHITE)
    image.paste((0, 0, 0), (7, 300, 31, 533))
    deep = image.convert("L").convert("I").point(lambda level: level * 257)
    found = {"I;16": deep.convert("I;16"), "I": deep}.get(mode) or image.convert(mode)

    assert inner_box(found, 10) == (7, 300, 31, 533)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_borders_of_an_image_that_lies_on_its_side(orientation: int) -> None:
    """Upright it has the extents of what is inside."""
    source = image_files.jpeg(image=_framed(), orientation=orientation)
    made = converted(source, 400, trim=24)

    assert np.abs(np.subtract(made.size, (96, 64))).max() <= 2
    assert difference(made.resize((96, 64)).convert("L"), drawings.photo().convert("L")) < 8


def test_a_border_may_differ_by_the_tolerance() -> None:
    """In the channel that differs most, and by no level more."""
    image = _framed()
    image.paste(_GRAY, (10, 0, 140, 5))
    image.paste((255, 251, 255), (10, 280, 140, 300))
    found = [inner_box(image, tolerance) for tolerance in (3, 4, 5)]

    assert found == [(10, 0, 140, 300), (10, 0, 140, 76), _BOX]


def test_the_border_has_the_color_of_most_corners() -> None:
    """Also if something reaches into one of them."""
    image = _framed()
    image.paste((0, 0, 200), (0, 0, 30, 30))

    assert inner_box(image, 10) == (0, 0, 116, 76)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_what_is_transparent_is_a_border_whatever_color_it_hides(mode: str) -> None:
    """Its alpha counts, with the tolerance."""
    random = np.random.default_rng(3)
    image = Image.fromarray(random.integers(0, 256, (90, 90, 4), np.uint8))
    image.putalpha(0)
    image.paste((255, 0, 0, 255), (30, 40, 50, 60))
    image.putpixel((5, 5), (255, 255, 255, 8))

    assert inner_box(image.convert(mode), 10) == (30, 40, 50, 60)
    assert inner_box(image.convert(mode), 3) == (5, 5, 50, 60)


@pytest.mark.parametrize("mode", ["L", "RGBA", "P"])
def test_an_image_of_one_color_stays_whole(mode: str) -> None:
    """Nothing would be left of it."""
    plain = _saved(Image.new(mode, (50, 40), 200 if mode == "P" else None))

    assert result(plain, 400, trim=10).size == (50, 40)
    assert result(_saved(Image.new(mode, (1, 1))), 400, trim=255).size == (1, 1)


def test_a_small_thing_in_a_large_image_keeps_its_detail() -> None:
    """A JPEG is not decoded at the scale of its whole."""
    image = Image.new("RGB", (1600, 1600), _WHITE)
    image.paste(drawings.photo((200, 200)), (704, 704))  # whole blocks
    made = converted(_saved(image, "JPEG", quality=95, subsampling="4:4:4"), 200, trim=10)

    assert made.size == (200, 200)
    assert difference(made, drawings.photo((200, 200))) < 3


def test_outputs_of_one_image_may_be_trimmed_or_not() -> None:
    """And each by its own tolerance."""
    image = _framed()
    image.paste(_GRAY, (0, 0, 150, 5))
    made = results(_saved(image), *(target(600, trim=tolerance) for tolerance in (None, 0, 5)))

    assert [each.size for each in made] == [(150, 300), (150, 295), (96, 64)]


def test_an_image_without_borders_keeps_its_coded_data() -> None:
    """One with borders does not, though it fits into the box."""
    plain, framed = image_files.jpeg(quality=60), _saved(_framed(), "JPEG", quality=60)
    kept, untouched = results(plain, target(96, output="jpeg", trim=0), target(96, output="jpeg"))

    assert kept.data == untouched.data
    assert result(framed, 400, output="jpeg", trim=40).size != (150, 300)


def test_an_animation_is_not_trimmed_but_its_first_frame_alone_is() -> None:
    """What is border in one frame may not be so in another one."""
    frames = [Image.new("RGB", (60, 40), _WHITE) for _ in range(2)]
    frames[0].paste((200, 0, 0), (20, 10, 40, 30))
    frames[1].paste((200, 0, 0), (0, 0, 30, 30))
    source = _saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    moving, still = results(source, target(60, output="gif", trim=5), target(60, output="jpeg", trim=5))

    assert moving.size == (60, 40)
    assert still.size == (20, 20)
