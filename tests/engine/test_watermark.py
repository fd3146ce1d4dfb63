"""A watermark is laid over the image as the target says, in the sandbox."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageSequence

from imageconverter.engine import Converted, Failed, OutputType
from tests.testing import drawings, icc_profiles, image_assertions, image_files
from tests.testing.image_assertions import alpha, is_near, opened, target

_BASE, _MARK = (40, 90, 160), (240, 200, 20)
_SIZE = (200, 100)


def _png(image: Image.Image, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **options)
    return buffer.getvalue()


def _plain(color: tuple[int, ...], size: tuple[int, int] = _SIZE) -> Image.Image:
    return Image.new("RGBA" if len(color) == 4 else "RGB", size, color)


def _outcome(source: bytes, mark: bytes | None, **fields: Any) -> Converted | Failed:
    assert image_assertions.sandbox is not None
    watermarks = {} if mark is None else {"marks/logo.png": mark}
    wanted = target(**{"side": 200, "watermark": "marks/logo.png", **fields})
    (outcome,) = image_assertions.sandbox.convert(source, [wanted], watermarks)
    return outcome


def _marked(source: bytes, mark: bytes, **fields: Any) -> Image.Image:
    outcome = _outcome(source, mark, **fields)
    assert isinstance(outcome, Converted), outcome.reason
    return opened(outcome.data)


def _covered(made: Image.Image) -> tuple[int, int, int, int]:
    """Return the box of what has not the color of the image below."""
    differs = (np.abs(np.asarray(made.convert("RGB"), int) - _BASE).max(axis=2) > 40).nonzero()
    return int(differs[1].min()), int(differs[0].min()), int(differs[1].max()) + 1, int(differs[0].max()) + 1


@pytest.mark.parametrize(
    ("position", "corner"),
    [
        ("center", (75, 40)), ("top", (75, 0)), ("bottom", (75, 80)), ("left", (0, 40)), ("right", (150, 40)),
        ("topLeft", (0, 0)), ("topRight", (150, 0)), ("bottomLeft", (0, 80)), ("bottomRight", (150, 80)),
    ],
)  # fmt: skip
def test_it_goes_where_the_position_says(position: str, corner: tuple[int, int]) -> None:
    """A quarter of the width, and in its own shape."""
    made = _marked(_png(_plain(_BASE)), _png(_plain(_MARK, (100, 40))), watermark_position=position)

    assert _covered(made) == (*corner, corner[0] + 50, corner[1] + 20)


@pytest.mark.parametrize("opacity", [1.0, 0.5, 0.1])
@pytest.mark.parametrize("level", [255, 128])
def test_it_is_mixed_by_its_alpha_and_the_opacity(opacity: float, level: int) -> None:
    """As by "over" of Porter and Duff on what is opaque: a M + (1 - a) B."""
    mark = _png(_plain((*_MARK, level)))
    made = _marked(_png(_plain(_BASE)), mark, watermark_width=1, watermark_opacity=opacity)
    share = opacity * level / 255
    expected = share * np.array(_MARK) + (1 - share) * np.array(_BASE)

    assert made.mode == "RGB"
    assert np.abs(np.asarray(made, float) - expected).max() < 1.5


def test_on_a_transparent_image_both_alphas_count() -> None:
    """A = a + b (1 - a), and C A = a M + b B (1 - a)."""
    below, above = _plain((*_BASE, 102)), _plain((*_MARK, 153))
    made = np.asarray(_marked(_png(below), _png(above), watermark_width=1), float)
    a, b = 153 / 255, 102 / 255
    whole = a + b * (1 - a)
    color = (a * np.array(_MARK) + b * (1 - a) * np.array(_BASE)) / whole

    assert np.abs(made[..., 3] - 255 * whole).max() < 1.5
    assert np.abs(made[..., :3] - color).max() < 2.5


@pytest.mark.parametrize(("size", "covered"), [((400, 10), (200, 5)), ((10, 400), (2, 100)), ((1, 1), (100, 100))])
def test_it_never_is_larger_than_the_image(size: tuple[int, int], covered: tuple[int, int]) -> None:
    """A tall one becomes narrower than the share says; a small one is enlarged."""
    left, top, right, bottom = _covered(_marked(_png(_plain(_BASE)), _png(_plain(_MARK, size)), watermark_width=1))

    assert abs(right - left - covered[0]) <= 1
    assert bottom - top == covered[1]


def test_a_repeated_one_covers_the_image_from_the_top_left_corner() -> None:
    """Side by side, and cut off at the other sides."""
    tile = Image.new("RGBA", (40, 30))
    tile.paste((*_MARK, 255), (0, 0, 20, 15))
    fields = {"watermark_position": "repeat", "watermark_width": 0.2}
    made = np.asarray(_marked(_png(_plain(_BASE, (200, 100))), _png(tile), **fields), int)
    y, x = np.mgrid[0:100, 0:200]
    inside = (x % 40 < 20) & (y % 30 < 15)
    is_edge = (x % 20 < 1) | (x % 20 > 18) | (y % 15 < 1) | (y % 15 > 13)

    assert np.abs(made - np.where(inside[..., None], _MARK, _BASE)).max(axis=2).max(where=~is_edge, initial=0) <= 2


@pytest.mark.parametrize("size", [(1000, 1), (1, 1), (2000, 2000)])
def test_repeating_takes_no_time_whatever_the_shape(size: tuple[int, int]) -> None:
    """A line of one pixel is not laid over the image a thousand times: the sandbox would end it."""
    source = _png(_plain(_BASE, (1500, 1500)))
    made = _marked(
        source, _png(_plain(_MARK, size)), max_width=1500, max_height=1500, watermark_position="repeat",
        watermark_width=0.01,
    )  # fmt: skip

    assert is_near(made.convert("RGB").getpixel((1499, 1499)), _MARK, 2)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P", "CMYK"])
@pytest.mark.parametrize("output", ["jpeg", "png", "webp", "avif", "gif"])
def test_every_mode_and_type_can_be_marked(mode: str, output: OutputType) -> None:
    """A gray image gets the colors of the mark."""
    buffer = io.BytesIO()
    drawings.cutout((64, 64)).convert("RGB" if mode == "CMYK" else "RGBA").convert(mode).save(buffer, "TIFF")
    made = _marked(buffer.getvalue(), _png(_plain((*_MARK, 255), (20, 20))), output=output, quality=95)

    assert is_near(made.convert("RGB").getpixel((32, 32)), _MARK, 24)


def test_every_frame_of_an_animation_is_marked() -> None:
    """At the same place."""
    made = _marked(image_files.animated_gif(frames=3), _png(_plain(_MARK, (20, 20))), output="gif")
    colors = [frame.convert("RGB").getpixel((48, 32)) for frame in ImageSequence.Iterator(made)]

    assert len(colors) == 3
    assert all(is_near(color, _MARK, 16) for color in colors)


def test_a_mark_is_upright_and_in_the_colors_of_the_image() -> None:
    """Of a photograph that lies on its side, in a color space of its own."""
    mark = image_files.jpeg(image=drawings.corners(), orientation=6)
    made = _marked(_png(_plain(_BASE, (96, 64))), mark, watermark_width=1)
    wide = _png(_plain((234, 51, 35)), icc_profile=icc_profiles.p3_profile())
    converted = _marked(_png(_plain(_BASE)), wide, watermark_width=1)
    kept = _marked(_png(_plain(_BASE), icc_profile=icc_profiles.p3_profile()), _png(_plain((255, 0, 0))),
                   watermark_width=1, keep=("icc",))  # fmt: skip

    assert image_assertions.is_upright(made)
    assert is_near(converted.getpixel((9, 9)), (255, 0, 0), 2)
    assert is_near(kept.getpixel((9, 9)), (234, 51, 35), 2)


def test_corners_and_grays_come_after_the_mark() -> None:
    """It is part of the image then; a margin can have it too."""
    made = _marked(
        _png(_plain(_BASE)), _png(_plain((255, 0, 0))), watermark_width=1, watermark_position="top", fit="pad",
        corner_radius=30, gray=True,
    )  # fmt: skip

    assert made.size == (200, 200)
    assert made.mode == "LA"
    assert is_near(made.getpixel((100, 10)), (76, 255), 1)
    assert alpha(made)[0, 0] == 0


def test_an_image_that_has_its_size_already_is_marked() -> None:
    """Its coded data are not kept."""
    made = _marked(image_files.jpeg(quality=60), _png(_plain(_MARK)), side=96, output="jpeg", watermark_width=1)

    assert is_near(made.getpixel((48, 32)), _MARK, 8)


@pytest.mark.parametrize(
    ("mark", "reason"),
    [
        (None, 'The watermark "marks/logo.png" does not exist.'),
        (b"", 'The watermark "marks/logo.png" does not exist.'),
        (b"no image", "cannot be used: The file is not of a supported image format."),
        (_png(drawings.photo())[:500], "cannot be used: The PNG file is broken"),
        (_png(Image.new("L", (3000, 2000))), "cannot be used: The image has more than 4 megapixels."),
    ],
    ids=["missing", "empty", "text", "cut off", "too large"],
)
def test_a_mark_that_cannot_be_used_is_named(mark: bytes | None, reason: str) -> None:
    """An image without the mark that it should have is not made; other outputs are."""
    outcome = _outcome(image_files.jpeg(), mark)
    assert isinstance(outcome, Failed)
    assert outcome.reason.startswith('The watermark "marks/logo.png" ')
    assert reason in outcome.reason

    assert image_assertions.sandbox is not None
    watermarks = {} if mark is None else {"marks/logo.png": mark}
    marked, other = image_assertions.sandbox.convert(
        image_files.jpeg(), [target(watermark="marks/logo.png"), target()], watermarks
    )
    assert isinstance(marked, Failed)
    assert isinstance(other, Converted)


def test_outputs_of_one_image_may_have_different_marks() -> None:
    """Each its own."""
    assert image_assertions.sandbox is not None
    marks = {name: _png(_plain(color)) for name, color in (("a.png", (255, 0, 0)), ("b.png", (0, 0, 255)))}
    wanted = [target(watermark=name, watermark_width=1) for name in ("b.png", "a.png")]
    colors = [
        opened(each.data).convert("RGB").getpixel((32, 16))
        for each in image_assertions.sandbox.convert(_png(_plain(_BASE)), wanted, marks)
        if isinstance(each, Converted)
    ]

    assert colors == [(0, 0, 255), (255, 0, 0)]
