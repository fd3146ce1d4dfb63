"""Animated PNGs: what is seen follows from PNG, third edition, sections 11.3.6 and 12.11."""

import io
import struct
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from imageconverter.engine import Limits
from imageconverter.engine.decode import open_image
from imageconverter.engine.plugins.png import FORMAT
from tests.testing import apng_files
from tests.testing.apng_files import BACKGROUND, OVER, PREVIOUS, SOURCE, Part
from tests.testing.image_assertions import result

SIZE = (4, 2)
RED, GREEN, BLUE = (255, 0, 0, 255), (0, 128, 0, 255), (0, 0, 255, 255)
CLEAR = (0, 0, 0, 0)
HALF_BLUE = (0, 0, 255, 128)


def seen(data: bytes) -> list[list[tuple[int, ...]]]:
    """Return the pixels of every frame that can be read, row by row; what is invisible is `CLEAR`."""
    image = Image.open(io.BytesIO(data), formats=[FORMAT])
    frames: list[list[tuple[int, ...]]] = []
    try:
        while True:
            image.load()
            pixels = np.asarray(image.convert("RGBA")).reshape(-1, 4).tolist()
            frames.append([tuple(pixel) if pixel[3] else CLEAR for pixel in pixels])
            image.seek(len(frames))
    except (EOFError, OSError):
        return frames


def changed(data: bytes, number: int, change: Callable[[bytes], bytes]) -> bytes:
    """Return *data* with another content of the chunk *number*, and the right checksum."""
    chunks = apng_files.chunks(data)
    kind, content = chunks[number]
    chunks[number] = (kind, change(content))
    return apng_files.joined(*chunks)


def test_the_default_image_is_a_frame_only_if_it_has_a_control_chunk() -> None:
    """Otherwise it is for programs that show no animations."""
    frames = (Part(SIZE, GREEN), Part(SIZE, BLUE))

    assert seen(apng_files.apng(*frames)) == [[GREEN] * 8, [BLUE] * 8]
    assert seen(apng_files.apng(*frames, default=Part(SIZE, RED))) == [[GREEN] * 8, [BLUE] * 8]


def test_a_frame_replaces_an_area_or_is_blended_with_it() -> None:
    """With straight alpha; half of blue over red is opaque."""
    first = Part(SIZE, RED)

    for blend, made in ((SOURCE, HALF_BLUE), (OVER, (127, 0, 128, 255))):
        assert seen(apng_files.apng(first, Part((1, 2), HALF_BLUE, blend=blend)))[1] == [made, RED, RED, RED] * 2


def test_two_half_transparent_colors_are_blended_by_the_formula() -> None:
    """Alpha: 100 + 60 (1 - 100/255) = 136.5; red: (200 · 100 + 20 · 60 (1 - 100/255)) / 136.5 = 151.9."""
    frames = (Part(SIZE, (20, 0, 0, 60)), Part(SIZE, (200, 0, 0, 100), blend=OVER))

    assert seen(apng_files.apng(*frames))[1] == [(152, 0, 0, 136)] * 8


@pytest.mark.parametrize(("dispose", "left"), [(0, GREEN), (BACKGROUND, CLEAR), (PREVIOUS, RED)])
def test_a_frame_is_disposed_of(dispose: int, left: tuple[int, ...]) -> None:
    """Kept, cleared, or replaced by what was there before."""
    frames = (Part(SIZE, RED), Part((1, 2), GREEN, at=(1, 0), dispose=dispose), Part((1, 1), BLUE))

    assert seen(apng_files.apng(*frames))[2] == [BLUE, left, RED, RED, RED, left, RED, RED]


def test_before_the_first_frame_there_was_nothing() -> None:
    """So the first one is cleared if it is to be restored, and may leave areas uncovered."""
    restored = apng_files.apng(Part(SIZE, RED, dispose=PREVIOUS), Part((1, 1), GREEN))
    smaller = apng_files.apng(Part((2, 1), RED, at=(1, 1)), Part((1, 1), GREEN), default=Part(SIZE, BLUE))

    assert seen(restored)[1] == [GREEN] + [CLEAR] * 7
    assert seen(smaller)[0] == [CLEAR] * 5 + [RED, RED, CLEAR]


def test_colors_that_stand_for_transparency_do_so_in_every_frame() -> None:
    """A palette with alpha, and a color key."""
    palette = [(b"PLTE", bytes((255, 0, 0, 0, 128, 0))), (b"tRNS", b"\xff\0")]
    indexed = apng_files.apng(
        Part(SIZE, (0,)), Part((1, 2), (1,)), Part((2, 2), (1,), blend=OVER), color_type=3, before=palette
    )
    keyed = apng_files.apng(
        Part(SIZE, RED[:3]),
        Part((1, 2), GREEN[:3]),
        Part((2, 2), GREEN[:3], blend=OVER),
        before=[(b"tRNS", struct.pack(">HHH", 0, 128, 0))],
    )

    for data in (indexed, keyed):
        assert seen(data) == [[RED] * 8, [CLEAR, RED, RED, RED] * 2, [CLEAR, RED, RED, RED] * 2]


@pytest.mark.parametrize("frames", [0, 1, 1 << 31])
def test_an_animation_of_one_frame_is_an_image(frames: int) -> None:
    """Nothing else is in it."""
    data = apng_files.apng(Part(SIZE, RED), Part(SIZE, GREEN), frames=frames)

    assert not open_image(io.BytesIO(data), Limits())[1].animated
    assert result(data, output="gif").warning == ""


def test_the_number_of_frames_may_follow_the_first_control_chunk() -> None:
    """If it comes before the pixels, as browsers allow."""
    first, animation, control, *others = apng_files.chunks(apng_files.apng(Part(SIZE, RED), Part(SIZE, GREEN)))

    assert len(seen(apng_files.joined(first, control, animation, *others))) == 2
    assert len(seen(apng_files.joined(first, control, others[0], animation, *others[1:]))) == 1


def test_frames_beyond_the_declared_number_do_not_count() -> None:
    """And if it is too high, the file is not whole."""
    frames = (Part(SIZE, RED), Part(SIZE, GREEN), Part(SIZE, BLUE))

    assert seen(apng_files.apng(*frames, frames=2)) == [[RED] * 8, [GREEN] * 8]
    made = result(apng_files.apng(*frames, frames=5), output="png")
    assert seen(made.data) == [[RED] * 8, [GREEN] * 8, [BLUE] * 8]
    assert made.warning == "The animation is broken: 2 of 5 frames are missing."


_THIRD_CONTROL = 6


@pytest.mark.parametrize(
    "change",
    [
        lambda control: b"\0\0\0\x09" + control[4:],  # sequence
        lambda control: control[:4] + bytes(4) + control[8:],  # width
        lambda control: control[:12] + b"\0\0\0\4" + control[16:],  # place
        lambda control: control[:24] + b"\3\0",
        lambda control: control[:24] + b"\0\2",
        lambda control: control[:25],
    ],
)
def test_frames_before_an_invalid_one_stay(change: Callable[[bytes], bytes]) -> None:
    """With a warning."""
    data = apng_files.apng(Part(SIZE, RED), Part((1, 1), GREEN), Part((1, 1), BLUE))
    made = result(changed(data, _THIRD_CONTROL, change), output="png")

    assert len(seen(made.data)) == 2
    assert made.warning == "The animation is broken: 1 of 3 frames are missing."


def test_frames_before_broken_pixels_stay() -> None:
    """Half a frame would look wrong."""
    data = apng_files.apng(Part(SIZE, RED), Part(SIZE, GREEN), Part((4, 2), BLUE))

    for broken in (changed(data, 7, lambda pixels: pixels[:4] + b"garbage"), data[:-30]):
        made = result(broken, output="png")
        assert len(seen(made.data)) == 2
        assert made.warning == "The animation is broken: 1 of 3 frames are missing."


def test_an_invalid_first_frame_makes_it_an_image() -> None:
    """It has to fill the image."""
    data = changed(
        apng_files.apng(Part(SIZE, RED), Part(SIZE, GREEN)), 2, lambda control: control[:7] + b"\3" + control[8:]
    )

    assert seen(data) == [[RED] * 8]
    assert result(data, output="png").warning == ""


def test_a_missing_end_is_a_warning() -> None:
    """All frames are there."""
    made = result(apng_files.apng(Part(SIZE, RED), Part(SIZE, GREEN), end=b""), output="png")

    assert made.warning == "The animation is cut off after its last whole frame."
    assert len(seen(made.data)) == 2
