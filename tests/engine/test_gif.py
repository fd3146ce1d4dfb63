"""GIFs whose frames are not whole images: what is seen follows from GIF89a, or browsers where that leaves it open."""

import io

import numpy as np
import pytest
from PIL import Image

from imageconverter.engine import Limits, gif, header
from imageconverter.engine.decode import open_image
from imageconverter.engine.plugins.gif import FORMAT
from imageconverter.errors import ImageTooLarge, Undecodable
from tests.testing import gif_files
from tests.testing.gif_files import BLUE, COLORS, GREEN, RED, WHITE, Frame
from tests.testing.image_assertions import converted, opened, outcomes, result, target

CLEAR, BLACK = (0, 0, 0, 0), (0, 0, 0)
SIZE = (4, 2)


def seen(data: bytes) -> list[list[tuple[int, ...]]]:
    """Return the pixels of every frame, row by row, of which invisible ones are `CLEAR`, opaque ones RGB."""
    image = Image.open(io.BytesIO(data), formats=[FORMAT])
    frames: list[list[tuple[int, ...]]] = []
    try:
        while True:
            image.load()
            pixels = np.asarray(image.convert("RGBA")).reshape(-1, 4).tolist()
            frames.append([CLEAR if not pixel[3] else tuple(pixel[:3]) for pixel in pixels])
            image.seek(len(frames))
    except EOFError:
        return frames


def refusal(data: bytes) -> str:
    """Return why a file is refused."""
    with pytest.raises(Undecodable) as caught:
        outcomes(data, target())
    return caught.value.reason


def test_uncovered_areas_are_transparent() -> None:
    """Whatever the background color is."""
    data = gif_files.gif(SIZE, Frame.filled((2, 1), 0, at=(1, 1)), background=1)

    assert seen(data) == [[CLEAR] * 5 + [RED, RED, CLEAR]]


@pytest.mark.parametrize(
    ("disposal", "left"),
    [(0, GREEN), (1, GREEN), (2, CLEAR), (3, RED), (4, RED), (5, GREEN), (7, GREEN)],
)
def test_a_frame_is_disposed_of(disposal: int, left: tuple[int, ...]) -> None:
    """Kept, cleared, or replaced by what was there before; 4 is an old way to say 3."""
    frames = (Frame.filled(SIZE, 0), Frame.filled((1, 2), 1, disposal=disposal), Frame.filled((1, 1), 2, at=(3, 1)))

    assert seen(gif_files.gif(SIZE, *frames)) == [
        [RED] * 8,
        [GREEN, RED, RED, RED] * 2,
        [left, RED, RED, RED, left, RED, RED, BLUE],
    ]


def test_before_the_first_frame_there_was_nothing() -> None:
    """So it is restored."""
    data = gif_files.gif(SIZE, Frame.filled(SIZE, 0, disposal=3), Frame.filled((1, 1), 1))

    assert seen(data)[1] == [GREEN] + [CLEAR] * 7


def test_a_transparent_index_leaves_what_was_there() -> None:
    """In the first frame that is nothing."""
    first = Frame(SIZE, bytes([0, 1, 2, 3] * 2), transparent=1)
    second = Frame(SIZE, bytes([3, 3, 1, 2] * 2), transparent=3)

    assert seen(gif_files.gif(SIZE, first, second)) == [
        [RED, CLEAR, BLUE, WHITE] * 2,
        [RED, CLEAR, GREEN, BLUE] * 2,
    ]


def test_a_frame_has_its_own_colors() -> None:
    """Those that neither table has are black."""
    own = Frame(SIZE, bytes([0, 1, 2, 200] * 2), colors=(WHITE, BLUE))

    assert seen(gif_files.gif(SIZE, Frame.filled(SIZE, 1), own)) == [[GREEN] * 8, [WHITE, BLUE, BLACK, BLACK] * 2]
    assert seen(gif_files.gif(SIZE, Frame.filled(SIZE, 1), colors=())) == [[BLACK] * 8]


def test_an_interlaced_frame_has_its_rows_in_order() -> None:
    """Of any height."""
    for height in range(1, 20):
        pixels = bytes(number % 3 for number in range(height))
        data = gif_files.gif((1, height), Frame((1, height), pixels, interlaced=True))

        assert seen(data) == [[COLORS[index] for index in pixels]]


@pytest.mark.parametrize(
    ("screen", "size"),
    [((0, 0), (6, 3)), ((0, 9), (6, 9)), ((2, 2), (6, 3)), ((7, 7), (7, 7))],
)
def test_the_first_image_enlarges_a_screen_that_is_too_small(screen: tuple[int, int], size: tuple[int, int]) -> None:
    """The header shows it already."""
    data = gif_files.gif(screen, gif_files.comment(b"c" * 700), Frame.filled((5, 2), 0, at=(1, 1)))

    assert gif.read_size(io.BytesIO(data)) == size
    assert converted(data).size == size
    with pytest.raises(ImageTooLarge):
        header.probe(data, Limits(pixels=size[0] * size[1] - 1))


def test_later_images_are_cropped_to_the_screen() -> None:
    """Even if nothing is left of them."""
    data = gif_files.gif(
        SIZE, Frame.filled(SIZE, 0), Frame.filled((9, 9), 1, at=(3, 0)), Frame.filled((3, 3), 2, at=(50, 50))
    )

    assert seen(data)[1:] == [[RED, RED, RED, GREEN] * 2] * 2


def test_several_images_without_times_are_an_animation() -> None:
    """As in browsers."""
    data = gif_files.gif(SIZE, Frame.filled((2, 2), 0), Frame.filled((2, 2), 1, at=(2, 0)))
    image, info = open_image(io.BytesIO(data), Limits())

    assert info.animated
    assert len(seen(data)) == getattr(image, "n_frames", 0) == 2


@pytest.mark.parametrize("name", [b"NETSCAPE2.0", b"ANIMEXTS1.0"])
@pytest.mark.parametrize("late", [False, True])
def test_the_number_of_repetitions_may_be_anywhere(name: bytes, *, late: bool) -> None:
    """Before the first image or after it."""
    looping, frame = gif_files.application(name, b"\1\2\0"), Frame.filled(SIZE, 0, hundredths=10)
    data = gif_files.gif(SIZE, *((frame, looping) if late else (looping, frame)), frame)

    assert opened(result(data, output="gif").data).info["loop"] == 2


def test_other_extensions_show_nothing() -> None:
    """Plain text is not drawn by any program of today."""
    others = (gif_files.plain_text(), gif_files.application(b"XMP DataXMP", b"x" * 300), gif_files.comment(b""))

    assert seen(gif_files.gif(SIZE, *others, Frame.filled(SIZE, 1), *others)) == [[GREEN] * 8]


@pytest.mark.parametrize("interlaced", [False, True])
def test_a_still_image_that_is_cut_off_is_shown_as_far_as_it_goes(*, interlaced: bool) -> None:
    """The rows that are missing are transparent; an interlaced image is coarse instead."""
    data = gif_files.gif((8, 8), Frame.filled((8, 8), 1, interlaced=interlaced))
    made = result(data[:-30], 8)
    alpha = np.asarray(opened(made.data).convert("RGBA"))[..., 3]

    assert made.warning == "The file is cut off: 38 % of the image are missing."
    assert (alpha[:5] == 255).all()
    assert (alpha[5:] == 255 * interlaced).all()
    assert refusal(data[:-50]) == "The GIF file is broken: it is cut off after 25% of the image."


def test_a_missing_trailer_is_a_warning() -> None:
    """Nothing is lost but the certainty that there are no more frames."""
    still = result(gif_files.gif(SIZE, Frame.filled(SIZE, 1), trailer=b""))
    moving = result(gif_files.gif(SIZE, *[Frame.filled(SIZE, index) for index in (0, 1)], trailer=b""), output="gif")

    assert still.warning == "The file is cut off: its end is missing, but 0 % of the image."
    assert moving.warning == "The animation is cut off after its last whole frame."
    assert len(seen(moving.data)) == 2


def test_a_faulty_frame_does_not_end_the_animation() -> None:
    """If its blocks are whole: its codes may be wrong, or too few."""
    middle = Frame.filled((4, 4), 1)
    codes = gif_files.lzw(middle.stored()[:9], end=False)
    faulty = middle.descriptor() + b"\x08" + gif_files.blocks(codes)
    data = gif_files.gif((4, 4), Frame.filled((4, 4), 0), faulty, Frame.filled((1, 1), 2))
    made = result(data, output="gif")

    assert seen(data) == [[RED] * 16, [GREEN] * 8 + [RED] * 8, [BLUE] + [GREEN] * 7 + [RED] * 8]
    assert made.warning == "A part of a frame is missing."


def test_a_small_file_does_not_take_much_memory() -> None:
    """A frame of which half cannot be there is not even begun."""
    data = gif_files.gif((9000, 9000), Frame((9000, 9000), b"").descriptor() + b"\x08" + gif_files.blocks(bytes(20)))

    assert refusal(data) == "The GIF file is broken: more than half of a frame is missing"


def test_many_blocks_are_skipped_in_linear_time() -> None:
    """Of one byte each, and of 255."""
    small, large = b"!\xfe" + b"\1x" * 500_000 + b"\0", gif_files.comment(bytes(5_000_000))

    assert seen(gif_files.gif(SIZE, small, large, Frame.filled(SIZE, 1))) == [[GREEN] * 8]
