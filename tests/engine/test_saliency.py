"""Which part of an image stands out, and is kept by a crop with the focus "saliency"."""

import io

import numpy as np
import pytest
from PIL import Image, ImageSequence

from imageconverter.engine import Target
from imageconverter.engine.attention import Attention, heaviest_box
from imageconverter.engine.output_types import Converted
from imageconverter.engine.pipeline import convert
from imageconverter.engine.saliency import saliency
from imageconverter.engine.target import FoundFocus
from tests.testing import image_files


def _dots(odd: tuple[int, int] | None, size: tuple[int, int] = (600, 200)) -> Image.Image:
    """Draw a wall of equal gray dots, one of which may be large: the whole image has about as much detail."""
    columns, rows = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    pixels = np.where((columns % 20 - 10) ** 2 + (rows % 20 - 10) ** 2 < 36, 90, 160).astype(np.uint8)
    image = Image.fromarray(pixels).convert("RGB")
    if odd is not None:
        image.paste((235, 235, 235), (odd[0], odd[1], odd[0] + 40, odd[1] + 40))
    return image


@pytest.mark.parametrize("left", [0, 120, 280, 440, 560])
def test_a_crop_keeps_what_is_unlike_the_rest(left: int) -> None:
    """Wherever it is: the pattern around it does not count, although it has more detail."""
    image = _dots((left, 80))
    box = Attention(image).crop("saliency", image, (200, 200))

    assert (box[2] - box[0], box[1], box[3]) == (200, 0, 200)
    assert box[0] <= left
    assert box[2] >= left + 40


def test_what_differs_in_color_only_stands_out() -> None:
    """At the same brightness, by ITU-R BT.601."""
    image = Image.new("RGB", (600, 200), (120, 120, 120))
    image.paste((200, 84, 100), (500, 80, 540, 120))
    box = Attention(image).crop("saliency", image, (200, 200))

    assert np.ptp(np.asarray(image.convert("L"))) <= 1
    assert box[0] <= 500
    assert box[2] >= 540


def test_it_is_found_from_top_to_bottom_too() -> None:
    """Also behind transparency, which is white."""
    image = _dots((80, 480), (200, 600)).convert("RGBA")
    hidden = Image.new("L", image.size, 0)
    hidden.paste(255, (0, 300, 200, 600))
    image.putalpha(hidden)

    assert Attention(image).crop("saliency", image, (200, 300))[1] >= 220


@pytest.mark.parametrize(("mode", "size", "kept"), [("L", (1, 1), (1, 1)), ("RGB", (50, 30), (20, 30))])
def test_of_an_even_image_the_middle_is_kept(mode: str, size: tuple[int, int], kept: tuple[int, int]) -> None:
    """Nothing stands out in it."""
    image = Image.new(mode, size, 7)

    assert (saliency(image) == 1).all()
    assert Attention(image).crop("saliency", image, kept)[0] == (size[0] - kept[0]) // 2


@pytest.mark.parametrize("size", [(10_000, 1), (1, 10_000), (2, 3)])
def test_thin_and_tiny_images_have_a_crop(size: tuple[int, int]) -> None:
    """Whose box lies inside."""
    image = Image.effect_noise(size, 50)
    left, top, right, bottom = Attention(image).crop("saliency", image, (1, 1))

    assert (right - left, bottom - top) == (1, 1)
    assert right <= size[0]
    assert bottom <= size[1]


def test_the_heaviest_box_is_that_of_an_exhaustive_search() -> None:
    """Among all positions; of equal ones, the one nearest to the middle of the weight."""
    weights = np.random.default_rng(5).random((12, 40))
    sums = [weights[:, start : start + 12].sum() for start in range(29)]

    assert heaviest_box(weights, (400, 120), (120, 120))[0] == 10 * int(np.argmax(sums))
    assert heaviest_box(np.ones((1, 4)), (400, 100), (100, 100)) == (150, 0, 250, 100)


def test_all_outputs_share_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the largest of them, also with variants; each keeps the same part."""
    looks = []

    def look(image: Image.Image) -> np.ndarray:
        looks.append(image.size)
        return saliency(image)

    monkeypatch.setattr("imageconverter.engine.attention.saliency", look)
    source = io.BytesIO(image_files.png(image=_dots((500, 80))))
    targets = [
        Target(max_width=side, max_height=side, fit="crop", focus="saliency", output="jpeg", variants=("webp",))
        for side in (50, 200, 100)
    ]
    made = [each for each in convert(source, targets) if isinstance(each, Converted)]

    assert len(looks) == 1
    assert [each.size for each in made] == [(50, 50), (200, 200), (100, 100)]
    assert all(np.asarray(Image.open(io.BytesIO(each.data)).convert("L")).max() > 225 for each in made)


@pytest.mark.parametrize("focus", ["saliency", "entropy"])
def test_an_animation_is_cropped_alike_in_all_frames(focus: FoundFocus) -> None:
    """By its first frame."""
    frames = [Image.new("RGB", (600, 200), (120, 120, 120)) for _ in range(2)]
    for frame, left in zip(frames, (20, 540), strict=True):
        frame.paste(Image.effect_noise((40, 40), 90), (left, 80))
    buffer = io.BytesIO()
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:], lossless=True, duration=100)
    target = Target(max_width=100, max_height=100, fit="crop", focus=focus, output="webp", lossless=True)
    (made,) = convert(buffer, [target])
    assert isinstance(made, Converted)
    spread = [
        np.asarray(frame.convert("L")).std() for frame in ImageSequence.Iterator(Image.open(io.BytesIO(made.data)))
    ]

    assert spread[0] > 3
    assert spread[1] < 1
