"""Several outputs of one source."""

from typing import Any, get_args

import pytest
from PIL import Image

from imageconverter.engine import Converted, Failed, OutputType, Target, pipeline, steps
from imageconverter.engine.animation import Timing
from imageconverter.engine.decode import load
from imageconverter.engine.encode import encode
from imageconverter.engine.geometry import Region, Size
from imageconverter.engine.steps import Plan
from imageconverter.errors import ImageTooLarge, Undecodable
from tests.testing import image_files
from tests.testing.image_assertions import outcomes, results, target

_OUTPUTS: tuple[OutputType, ...] = get_args(OutputType)


def test_a_source_is_decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever number of outputs is asked for, and at the scale that the largest one needs."""
    asked: list[Size] = []

    def count(*args: Any, at_least: Size, **options: Any) -> Region:
        asked.append(at_least)
        return load(*args, at_least=at_least, **options)

    monkeypatch.setattr(pipeline, "load", count)
    targets = (target(40), target(120), target(60, fit="crop"), target(120, output="jpeg"))
    results(image_files.jpeg(size=(300, 200)), *targets, in_process="a step of the pipeline is replaced")

    assert asked == [(120, 80)]


@pytest.mark.parametrize(("sides", "times"), [((48, 80, 20, 60), 1), ((80, 70), 2), ((80, 80), 1)])
def test_smaller_outputs_come_from_larger_ones(monkeypatch: pytest.MonkeyPatch, sides: Size, times: int) -> None:
    """Whatever their order; only one that is nearly as large is made from the source again, for sharpness."""
    developed: list[Size] = []

    def note(image: Image.Image, _plan: Plan) -> Image.Image:
        developed.append(image.size)
        return image

    monkeypatch.setattr(pipeline, "FRAME_STEPS", (*steps.FRAME_STEPS, note))
    results(image_files.jpeg(), *map(target, sides), in_process="a step of the pipeline is replaced")

    assert len(developed) == times


def test_results_come_in_the_order_of_the_targets() -> None:
    """Not in the order in which they were made."""
    sides = [40, 90, 10, 96, 33, 90]

    assert [max(each.size) for each in results(image_files.jpeg(), *map(target, sides))] == sides


def test_equal_targets_give_equal_results() -> None:
    """The frame is made once."""
    first, second = results(image_files.jpeg(), target(50, output="jpeg"), target(50, output="jpeg"))

    assert first.data == second.data


def test_no_target_is_no_result() -> None:
    """The image is read all the same."""
    assert outcomes(image_files.jpeg()) == []
    with pytest.raises(Undecodable):
        outcomes(b"")


def test_an_output_that_fails_does_not_spoil_the_others() -> None:
    """WebP has no images of 17,000 pixels width."""
    data = image_files.png(image=Image.new("RGB", (17_000, 2)))
    wide = Target(max_width=16_384, max_height=16, output="webp")
    first, second, third = outcomes(data, wide, target(100), wide.model_copy(update={"output": "jpeg"}))

    assert isinstance(first, Failed)
    assert first.reason.startswith("The output could not be made: ")
    assert isinstance(second, Converted)
    assert isinstance(third, Converted)
    assert third.size == (16_384, 2)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (MemoryError(), "The output needs more memory than is allowed."),
        (ValueError("bad"), "The output could not be made: bad"),
        (ImageTooLarge("Too large."), "Too large."),
    ],
)
def test_errors_of_one_output_leave_the_others(
    monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    """The reason is a sentence."""

    def fail_avif(frames: list[Image.Image], timing: Timing, output: OutputType, *others: Any) -> tuple[bytes, str]:
        if output == "avif":
            raise error
        return encode(frames, timing, output, *others)

    monkeypatch.setattr(pipeline, "encode", fail_avif)
    targets = [target(96, output=output) for output in _OUTPUTS]
    made = outcomes(image_files.jpeg(), *targets, in_process="the encoder is replaced")

    assert [each.reason for each in made if isinstance(each, Failed)] == [reason]
    assert len(made) == len(_OUTPUTS)


@pytest.mark.parametrize("fit", ["cover", "crop", "pad"])
def test_an_output_may_not_be_a_bomb(fit: str) -> None:
    """A line of 2,000 pixels that must cover a square would be a hundred times as wide as the largest image."""
    data = image_files.png(image=Image.new("RGB", (2000, 1)))
    large = Target(max_width=16_000, max_height=16_000, fit=fit, upscale=True, output="png")
    refused, made = outcomes(data, large, target(100))

    assert refused == Failed("The output would have more than 100 megapixels.")
    assert isinstance(made, Converted)
