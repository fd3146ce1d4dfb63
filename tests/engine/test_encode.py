"""Encoding a finished image."""

import io
from pathlib import Path
from typing import get_args

import pytest
from PIL import Image

from imageconverter.engine import OUTPUT_TYPES, OutputType, identify
from imageconverter.engine.animation import Timing
from imageconverter.engine.encode import encode
from tests.testing import drawings
from tests.testing.image_assertions import alpha, difference, encoded, is_near, opened, psnr, target

_OUTPUTS: tuple[OutputType, ...] = get_args(OutputType)
_SOURCES = Path(__file__).parents[2] / "docs" / "images" / "sources"
_LOSSY: tuple[OutputType, ...] = ("jpeg", "webp", "avif")


@pytest.mark.parametrize("output", _OUTPUTS)
def test_every_output_type_is_what_it_says(output: OutputType) -> None:
    """It is recognised as a source again, and it has names to be called by."""
    found = identify(encoded(drawings.photo(), output)[:32])

    assert found is not None
    assert found.kept_as == output
    assert OUTPUT_TYPES[output].media_type == f"image/{output}"
    assert all(extension.startswith(".") for extension in OUTPUT_TYPES[output].extensions)


@pytest.mark.parametrize(("output", "least"), [("jpeg", 30), ("png", 99), ("webp", 31), ("avif", 32), ("gif", 34)])
def test_the_image_is_still_the_image(output: OutputType, least: int) -> None:
    """The ordinary quality is good."""
    photo = drawings.photo((160, 120))
    made = opened(encoded(photo, output))

    assert made.size == photo.size
    assert psnr(made.convert("RGB"), photo) > least


@pytest.mark.parametrize("output", _OUTPUTS)
def test_gray_is_encoded_as_grey(output: OutputType) -> None:
    """No tint creeps in, and where there is a mode of one channel it is used."""
    grey = drawings.photo().convert("L")
    made = opened(encoded(grey, output))
    red, green, blue = made.convert("RGB").split()

    assert made.mode == {"webp": "RGB", "gif": "P"}.get(output, "L")
    assert difference(green, grey) < 3
    assert difference(red, green) < 0.5
    assert difference(green, blue) < 0.5


@pytest.mark.parametrize("output", ["png", "webp", "avif"])
@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_soft_transparency_is_kept(output: OutputType, mode: str) -> None:
    """In all degrees."""
    disc = drawings.cutout(softness=12).convert(mode)
    made = opened(encoded(disc, output))

    assert difference(made.getchannel("A"), disc.getchannel("A")) < 1
    assert made.getchannel("A").getpixel((0, 0)) == 0


def test_a_gif_keeps_what_is_transparent() -> None:
    """And the colors of what is not."""
    disc = drawings.cutout()
    disc.putalpha(disc.getchannel("A").point([0] * 128 + [255] * 128))
    made = opened(encoded(disc, "gif"))

    assert (alpha(made) == alpha(disc)).all()
    assert is_near(made.convert("RGB").getpixel((48, 32)), (200, 30, 60), 4)


def test_a_gif_of_many_colors_keeps_what_is_transparent() -> None:
    """One entry of the palette is kept free for it."""
    photo = drawings.photo((160, 120)).convert("RGBA")
    photo.paste((0, 0, 0, 0), (0, 0, 80, 60))
    made = opened(encoded(photo, "gif"))

    assert (alpha(made) == alpha(photo)).all()
    assert difference(made.convert("RGB").crop((80, 60, 160, 120)), photo.convert("RGB").crop((80, 60, 160, 120))) < 5


def test_a_gif_keeps_the_one_red_spot_in_the_grass() -> None:
    """Rare colors are those that one looks at."""
    red, green, blue = drawings.photo((160, 120)).split()
    dimmed = [level // 2 for level in range(256)]
    meadow = Image.merge("RGB", (red.point(dimmed), green, blue.point(dimmed)))
    ladybird = (80, 60, 86, 66)
    meadow.paste((220, 40, 20), ladybird)
    made = opened(encoded(meadow, "gif")).convert("RGB")

    assert difference(made.crop(ladybird), meadow.crop(ladybird)) < 8


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_white_stays_white_in_a_gif(mode: str) -> None:
    """A product on white must not have a gray box around it on a white page."""
    photo = drawings.photo((160, 120))
    photo.paste((255, 255, 255), (0, 0, 160, 40))
    photo.paste((250, 251, 252), (40, 40, 80, 80))
    made = opened(encoded(photo.convert(mode), "gif")).convert("RGB")

    assert set(made.crop((0, 0, 160, 40)).get_flattened_data()) == {(255, 255, 255)}


@pytest.mark.parametrize("extreme", [0, 255])
def test_a_gif_may_be_transparent_all_over_or_nowhere(extreme: int) -> None:
    """Neither leaves the palette without an entry."""
    photo = drawings.photo()
    photo.putalpha(extreme)

    assert (alpha(opened(encoded(photo, "gif"))) == extreme).all()


@pytest.mark.parametrize("output", _LOSSY)
def test_quality_costs_bytes(output: OutputType) -> None:
    """From 1 to 100."""
    sizes = [len(encoded(drawings.photo(), output, quality=quality)) for quality in (1, 50, 82, 100)]

    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1] / 2


@pytest.mark.parametrize("output", _OUTPUTS)
@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1)])
def test_the_smallest_images_can_be_encoded(output: OutputType, size: tuple[int, int]) -> None:
    """One pixel is an image."""
    assert opened(encoded(Image.new("RGB", size, (10, 200, 30)), output)).size == size


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize("name", ["coffee.jpg", "cup.jpg", "screenshot.png"])
def test_a_png_takes_hardly_more_bytes_than_by_all_of_zlib(name: str, mode: str) -> None:
    """Although that of a photograph is encoded in less than half the time."""
    with Image.open(_SOURCES / name) as source:
        image, ordinary = source.convert("RGB").convert(mode), io.BytesIO()
    image.thumbnail((400, 400))
    if mode in ("LA", "RGBA"):
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    image.save(ordinary, "PNG", compress_level=4)
    made, with_comment = encoded(image, "png"), encoded(image, "png", comment="Example")

    assert len(made) < 1.03 * len(ordinary.getvalue())
    for file in (made, with_comment):
        assert opened(file).convert(mode).tobytes() == image.tobytes()
    assert opened(with_comment).info["Comment"] == "Example"


def test_a_png_of_a_pattern_takes_few_bytes() -> None:
    """The encoder sees what repeats in a row."""
    tile, pattern = drawings.photo((80, 60)), Image.new("RGB", (400, 300))
    for x in range(0, pattern.width, tile.width):
        for y in range(0, pattern.height, tile.height):
            pattern.paste(tile, (x, y))

    assert len(encoded(pattern, "png")) < 6 * len(encoded(tile, "png"))


# --- options ------------------------------------------------------------------------------------
def test_colors_are_kept_at_half_or_at_full_resolution() -> None:
    """As the target says; fine colored lines need all of it."""
    lines = Image.new("RGB", (64, 64))
    for x in range(0, 64, 2):
        lines.paste((230, 20, 30), (x, 0, x + 1, 64))
        lines.paste((20, 60, 220), (x + 1, 0, x + 2, 64))
    half, full = (opened(encoded(lines, "jpeg", quality=95, chroma=chroma)) for chroma in ("4:2:0", "4:4:4"))

    assert difference(full, lines) < 6
    assert difference(half, lines) > 40
    for output in ("avif",):
        assert difference(opened(encoded(lines, output, quality=95, chroma="4:4:4")), lines) < 10


def test_a_jpeg_may_be_progressive() -> None:
    """Where that is asked for."""
    assert not opened(encoded(drawings.photo(), "jpeg")).info.get("progressive")
    assert opened(encoded(drawings.photo(), "jpeg", progressive=True)).info.get("progressive")


@pytest.mark.parametrize("image", [drawings.photo(), drawings.cutout()], ids=["RGB", "RGBA"])
def test_a_webp_may_be_without_loss(image: Image.Image) -> None:
    """Every visible pixel."""
    made = opened(encoded(image, "webp", lossless=True)).convert(image.mode)

    if image.mode == "RGB":
        assert made.tobytes() == image.tobytes()
    else:
        assert difference(made, image) < 0.01


@pytest.mark.parametrize("output", _LOSSY)
@pytest.mark.parametrize("kilobytes", [4, 9])
def test_a_file_is_held_below_a_size(output: OutputType, kilobytes: int) -> None:
    """At the best quality that is small enough, and as it is if it is small enough anyway."""
    photo = drawings.photo((320, 240))
    made, warning = encode([photo], Timing(), output, target(quality=95, max_kilobytes=kilobytes))
    large = encoded(photo, output, quality=95)

    assert warning == ""
    assert kilobytes * 700 < len(made) <= kilobytes * 1000 < len(large)
    assert encode([photo], Timing(), output, target(quality=95, max_kilobytes=500))[0] == large


@pytest.mark.parametrize(("output", "fields"), [("png", {}), ("gif", {}), ("webp", {"lossless": True}), ("jpeg", {})])
def test_a_file_that_cannot_be_small_enough_comes_out_with_a_warning(
    output: OutputType, fields: dict[str, bool]
) -> None:
    """As small as it can be."""
    photo = drawings.photo((640, 480))
    made, warning = encode([photo], Timing(), output, target(max_kilobytes=1, **fields))

    assert warning == "The file could not be made as small as 1 kB."
    assert opened(made).size == (640, 480)
    if output == "jpeg":
        assert len(made) < len(encoded(photo, output, quality=5))
