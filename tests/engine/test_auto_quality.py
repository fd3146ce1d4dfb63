"""The format option `quality = "auto"`."""

from functools import partial
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import convolve
from skimage import data as photographs

from imageconverter.engine import OutputType
from imageconverter.engine.animation import Timing
from imageconverter.engine.auto_quality import find_quality
from imageconverter.engine.encode import encode
from imageconverter.engine.score import Encoder, Reference
from tests.testing import drawings
from tests.testing.image_assertions import encoded, opened, result, target

LOSSY: tuple[OutputType, ...] = ("jpeg", "webp", "avif")
ENCODERS: dict[OutputType, Encoder] = {"jpeg": "libjpeg", "webp": "webp", "avif": "avif"}
SCALES: dict[OutputType, float] = {"jpeg": 307, "webp": 243, "avif": 243}
PHOTO = Image.fromarray(photographs.astronaut()).crop((80, 0, 400, 240))


def published(one: Image.Image, other: Image.Image) -> float:
    """Compute the deviation with another library, from the publication: means of 2 x 2 pixels, Prewitt, 170."""
    kernel = np.array([[1, 0, -1]] * 3) / 3
    gradients = []
    for image in (one, other):
        gray = np.asarray(image.convert("L"), dtype=np.float64)
        half = np.floor((gray[::2, ::2] + gray[1::2, ::2] + gray[::2, 1::2] + gray[1::2, 1::2]) / 4 + 0.5)
        gradients.append(np.hypot(convolve(half, kernel, mode="nearest"), convolve(half, kernel.T, mode="nearest")))
    first, second = gradients
    return float(np.std((2 * first * second + 170) / (first**2 + second**2 + 170)))


@pytest.mark.parametrize("output", LOSSY)
@pytest.mark.parametrize("quality", [40, 82])
def test_the_score_is_that_of_the_publication(output: OutputType, quality: int) -> None:
    """On the scale of SSIMULACRA2."""
    made = encoded(PHOTO, output, quality=quality)
    expected = 100 - SCALES[output] * published(PHOTO, opened(made)) ** 0.467

    assert Reference(PHOTO).score(made, ENCODERS[output]) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("size", [(1, 1), (1, 70), (129, 2), (33, 257)])
def test_any_size_has_a_score(size: tuple[int, int]) -> None:
    """Less than a band of rows, and a little more than several."""
    image = PHOTO.resize(size)

    assert 0 < Reference(image).score(encoded(image, "webp", lossless=True), "webp") == 100


def test_what_is_transparent_does_not_count() -> None:
    """An encoder may put anything there."""
    image = drawings.cutout()
    hidden = Image.merge("RGBA", (*PHOTO.resize(image.size).split(), image.getchannel("A").point(lambda _: 0)))
    blank = Image.new("RGBA", image.size, (0, 0, 0, 0))

    assert Reference(hidden).score(encoded(blank, "webp", lossless=True), "webp") == 100


@pytest.mark.parametrize("output", LOSSY)
@pytest.mark.parametrize("wanted", [70, 85])
def test_an_image_gets_the_lowest_quality_that_is_enough(output: OutputType, wanted: int) -> None:
    """Or hardly more."""
    encoder = ENCODERS[output]
    quality, made = find_quality(lambda tried: encoded(PHOTO, output, quality=tried), PHOTO, encoder, wanted)
    reference = Reference(PHOTO)

    assert made == encoded(PHOTO, output, quality="auto", target_score=wanted)
    assert reference.score(made, encoder) >= wanted
    assert reference.score(encoded(PHOTO, output, quality=quality - 4), encoder) < wanted


@pytest.mark.parametrize(("wanted", "quality"), [(1, 40), (100, 95)])
def test_the_quality_has_bounds(wanted: int, quality: int) -> None:
    """Whatever the score."""
    found, made = find_quality(lambda tried: encoded(PHOTO, "jpeg", quality=tried), PHOTO, "libjpeg", wanted)

    assert quality <= found <= quality + 1
    assert made == encoded(PHOTO, "jpeg", quality=found)


def test_few_files_are_made() -> None:
    """Each costs the time of an encoding."""
    image = drawings.photo()
    for output, encoder in ENCODERS.items():
        for wanted in range(1, 100, 14):
            tried: list[int] = []
            find_quality(partial(_recorded, image, output, tried), image, encoder, wanted)
            assert len(tried) == len(set(tried)) <= 6


def _recorded(image: Image.Image, output: OutputType, tried: list[int], quality: int) -> bytes:
    tried.append(quality)
    return encoded(image, output, quality=quality)


def test_a_plain_image_takes_less_quality_than_one_with_detail() -> None:
    """That is what it is for."""
    plain = Image.linear_gradient("L").convert("RGB").resize(PHOTO.size)
    found = [find_quality(partial(_recorded, image, "jpeg", []), image, "libjpeg", 85)[0] for image in (plain, PHOTO)]

    assert found[0] < found[1]


@pytest.mark.parametrize("output", LOSSY)
def test_the_limit_in_kilobytes_is_the_ceiling(output: OutputType) -> None:
    """Whatever the score is then."""
    fields: dict[str, Any] = {"quality": "auto", "target_score": 95}
    made, warning = encode([PHOTO], Timing(), output, target(max_kilobytes=5, **fields))

    assert warning == ""
    assert 3_500 < len(made) <= 5_000 < len(encoded(PHOTO, output, **fields))


@pytest.mark.parametrize(("output", "fields"), [("png", {}), ("gif", {}), ("webp", {"lossless": True})])
def test_types_without_losses_are_not_concerned(output: OutputType, fields: dict[str, Any]) -> None:
    """They have no quality."""
    assert opened(encoded(PHOTO, output, quality="auto", **fields)).convert("RGB").tobytes() == (
        opened(encoded(PHOTO, output, **fields)).convert("RGB").tobytes()
    )


def test_the_first_frame_decides_for_an_animation() -> None:
    """All frames have the same quality."""
    frames, timing = [PHOTO, PHOTO.rotate(180)], Timing(0, [50, 50])
    made, _ = encode(frames, timing, "webp", target(quality="auto", target_score=75))
    quality, _ = find_quality(lambda tried: encoded(PHOTO, "webp", quality=tried), PHOTO, "webp", 75)

    assert made == encode(frames, timing, "webp", target(quality=quality))[0]


def test_the_middle_decides_for_a_large_image() -> None:
    """4,096 pixels a side of it: the whole may be too large to be decoded once more."""
    large = Image.new("RGB", (6000, 40))
    middle = PHOTO.resize((4096, 40))
    large.paste(middle, (952, 0))
    quality, _ = find_quality(partial(_recorded, middle, "jpeg", []), middle, "libjpeg", 80)

    assert encoded(large, "jpeg", quality="auto") == encoded(large, "jpeg", quality=quality)


def test_the_small_encoder_is_asked_as_well() -> None:
    """For a smaller file of the same score."""
    standard, small = (encoded(PHOTO, "jpeg", quality="auto", encoder=each) for each in ("standard", "small"))

    assert len(small) < 0.95 * len(standard)
    assert Reference(PHOTO).score(small, "jpegli") >= 80


@pytest.mark.parametrize("output", LOSSY)
def test_a_conversion_in_the_sandbox_chooses_the_quality(output: OutputType) -> None:
    """The filter of system calls leaves what it needs; a source of the same type bounds the size."""
    for source in (encoded(PHOTO, "png"), encoded(PHOTO, output, quality=60)):
        made = result(source, 240, output=output, quality="auto", target_score=60).data

        assert opened(made).size == (240, 180)
        assert len(made) < len(source)
