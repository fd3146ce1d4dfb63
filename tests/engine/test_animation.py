"""Animations that stay animations."""

import io

import pytest
from PIL import Image, ImageSequence

from imageconverter.engine import Failed, Limits, OutputType, Target
from imageconverter.engine.animation import Frames
from imageconverter.engine.decode import open_image
from imageconverter.errors import Undecodable
from tests.testing import image_files
from tests.testing.image_assertions import difference, opened, outcomes, result, results, target

_MOVING: tuple[OutputType, ...] = ("gif", "png", "webp", "avif")
_COLORS = [(200, 30, 30), (30, 180, 60), (40, 60, 200), (220, 200, 40), (240, 240, 240)]


def _animation(kind: str = "GIF", *, loop: int | None = 0, shown: tuple[int, ...] = (50, 200, 100, 700, 90)) -> bytes:
    """Make five frames: a square in another place and another color in each, shown for as many milliseconds."""
    frames = []
    for index, color in enumerate(_COLORS):
        frame = Image.new("RGB", (120, 80), (90, 90, 110))
        frame.paste(color, (20 * index, 10 * index, 20 * index + 30, 10 * index + 30))
        frames.append(frame)
    options = {} if loop is None else {"loop": loop}
    if kind in ("WEBP", "AVIF"):
        options |= {"quality": 95}
    buffer = io.BytesIO()
    frames[0].save(buffer, kind, save_all=True, append_images=frames[1:], duration=list(shown), **options)
    return buffer.getvalue()


def _frames(data: bytes) -> list[Image.Image]:
    return [frame.convert("RGBA") for frame in ImageSequence.Iterator(Image.open(io.BytesIO(data)))]


def _shown(data: bytes) -> list[int]:
    image = Image.open(io.BytesIO(data))
    shown = []
    for number in range(getattr(image, "n_frames", 1)):
        image.seek(number)
        image.load()
        shown.append(round(image.info["duration"]))
    return shown


@pytest.mark.parametrize("output", _MOVING)
@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF"])
def test_an_animation_stays_one(kind: str, output: OutputType) -> None:
    """Every frame shows what it showed, as long as it did."""
    data = _animation(kind)
    made = result(data, 60, output=output)

    assert made.size == (60, 40)
    assert made.warning == ""
    assert _shown(made.data) == [50, 200, 100, 700, 90]
    for before, after in zip(_frames(data), _frames(made.data), strict=True):
        assert difference(before.resize((60, 40), Image.Resampling.LANCZOS), after) < 5


@pytest.mark.parametrize("output", _MOVING)
def test_keep_keeps_an_animation(output: OutputType) -> None:
    """In its own format."""
    kept = result(_animation({"gif": "GIF", "png": "PNG", "webp": "WEBP", "avif": "AVIF"}[output]), output="keep")

    assert kept.output == output
    assert len(_frames(kept.data)) == 5


@pytest.mark.parametrize(("kind", "loop", "plays"), [
    ("GIF", 0, 0), ("GIF", 3, 4), ("GIF", None, 1), ("PNG", 0, 0), ("PNG", 1, 1), ("PNG", 3, 3), ("WEBP", 3, 3),
    ("AVIF", None, 0),
])  # fmt: skip
def test_an_animation_is_shown_as_often_as_before(kind: str, loop: int | None, plays: int) -> None:
    """A GIF says how often it is repeated after the first time, the others how often it is shown; 0 is for ever."""
    data = _animation(kind, loop=loop)

    assert opened(result(data, output="gif").data).info.get("loop") == {0: 0, 1: None}.get(plays, plays - 1)
    for output in ("png", "webp"):
        assert opened(result(data, output=output).data).info.get("loop") == plays


def test_a_time_that_no_browser_keeps_is_not_kept() -> None:
    """Nought means a tenth of a second to all of them."""
    made = result(_animation(shown=(0, 10, 20, 100, 70)), output="gif")

    assert _shown(made.data) == [100, 100, 20, 100, 70]


def test_transparent_frames_do_not_pile_up() -> None:
    """What was seen in one frame is gone in the next."""
    frames = []
    for left in (0, 40, 80):
        frame = Image.new("RGBA", (120, 40))
        frame.paste((200, 30, 60, 255), (left, 0, left + 40, 40))
        frames.append(frame)
    buffer = io.BytesIO()
    frames[0].save(buffer, "PNG", save_all=True, append_images=frames[1:], duration=100, disposal=1)

    for output in ("gif", "png", "webp"):
        made = _frames(result(buffer.getvalue(), 60, output=output).data)
        for number, frame in enumerate(made):
            seen = [frame.getpixel((x, 10)) for x in (10, 30, 50)]
            assert [bool(pixel[3]) for pixel in seen if isinstance(pixel, tuple)] == [
                number == place for place in range(3)
            ]


def test_some_outputs_move_and_others_do_not() -> None:
    """The frames are decoded once for all of them."""
    moving, still, first = results(
        _animation(), target(60, output="webp"), target(60, output="jpeg"), target(30, output="gif", animation=False)
    )

    assert len(_frames(moving.data)) == 5
    assert moving.warning == ""
    assert still.warning == first.warning == "Only the first frame of the animation was converted."
    assert len(_frames(first.data)) == 1


@pytest.mark.parametrize("limits", [Limits(frames=4), Limits(pixels=120 * 80 * 5 - 1)])
def test_too_many_frames_become_one(limits: Limits) -> None:
    """Their number counts, and their pixels together."""
    made = results(_animation(), target(60, output="gif"), limits=limits)[0]

    assert made.warning == "The animation has too many frames; only the first one was converted."
    assert len(_frames(made.data)) == 1
    assert len(_frames(results(_animation(), target(60, output="gif"), limits=Limits(frames=5))[0].data)) == 5


@pytest.mark.parametrize(("kind", "decoded"), [("GIF", 1), ("PNG", 1), ("WEBP", 1), ("AVIF", 1)])
def test_frames_are_not_decoded_in_vain(kind: str, decoded: int) -> None:
    """Where the file says that there are too many."""
    limits = Limits(frames=4)
    image, _ = open_image(io.BytesIO(_animation(kind)), limits)
    frames = Frames(image, limits)

    assert (len(list(frames)), frames.too_many) == (decoded, True)
    (made,) = results(_animation(kind), target(60, output="keep"), limits=limits)
    assert made.warning == "The animation has too many frames; only the first one was converted."


def test_frames_behind_a_broken_one_are_lost() -> None:
    """Those before it are not."""
    data = _animation("GIF")
    made = result(data[: len(data) * 2 // 3], output="gif")

    assert len(_frames(made.data)) == 3
    assert made.warning == "The animation is broken: 1 of 4 frames are missing."


def test_an_animation_that_is_cut_off_is_refused_if_it_is_to_be() -> None:
    """By the operator's setting."""
    data = _animation("GIF")
    with pytest.raises(Undecodable, match=r"^The animation is broken after frame 3\.$"):
        results(data[: len(data) * 2 // 3], target(60, output="gif"), limits=Limits(truncated=False))


def test_an_animation_is_not_enlarged_beyond_the_limit() -> None:
    """All of its frames count."""
    large = Target(max_width=2400, max_height=2400, upscale=True, output="gif")
    made = outcomes(_animation(), large, limits=Limits(pixels=2400 * 1600 * 3))

    assert made == [Failed("The output would have more than 11.52 megapixels.")]


def test_a_crop_and_a_turn_hold_for_every_frame() -> None:
    """As for an image."""
    made = result(_animation("PNG"), 40, output="webp", fit="crop")

    assert {frame.size for frame in _frames(made.data)} == {(40, 40)}


def test_the_animations_of_the_other_tests_move() -> None:
    """Images with transparency, palettes, and no time written anywhere."""
    for kind in ("GIF", "WebP", "PNG", "AVIF"):
        assert len(_frames(result(image_files.SOURCES[f"{kind} animated"](), 48, output="keep").data)) == 3
