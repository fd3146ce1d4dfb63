"""A verdict follows from what was converted or refused, and from what the readers say."""

from collections.abc import AsyncIterator

import pytest
from PIL import Image

from tests.conformance.conversion import Outcome, refused
from tests.conformance.reading import Reading
from tests.conformance.verdicts import Verdict, judge

RED, BLUE = Image.new("RGBA", (4, 4), "red"), Image.new("RGBA", (4, 4), "blue")
FAILING = Reading("one", complaint="not an image")
AGREEING, DIFFERING = Reading("two", [RED]), Reading("three", [BLUE])
COMPLAINING = Reading("four", [BLUE], complaint="the data end early")
SILENT = Reading("five", [BLUE], reports_damage=False)
PARTIAL = Reading("six", [BLUE], is_proof=False)


async def each(*readings: Reading) -> AsyncIterator[Reading]:
    """Yield *readings*."""
    for reading in readings:
        yield reading


@pytest.mark.parametrize(
    ("readings", "verdict"),
    [
        ([DIFFERING, AGREEING], Verdict.RIGHT),
        ([Reading("several", [BLUE, RED])], Verdict.RIGHT),
        ([FAILING, DIFFERING, COMPLAINING], Verdict.WRONG),
        ([SILENT], Verdict.WRONG),
        ([COMPLAINING, SILENT, FAILING], Verdict.NOT_JUDGED),
        ([PARTIAL], Verdict.NOT_JUDGED),
        ([FAILING, PARTIAL], Verdict.NOT_JUDGED),
        ([FAILING], Verdict.NOT_JUDGED),
        ([], Verdict.NOT_JUDGED),
    ],
)
async def test_a_converted_file_is_right_if_one_reader_agrees(readings: list[Reading], verdict: Verdict) -> None:
    """It is wrong only if one that reads all of the type has no complaint, or none complains at all."""
    judgment = await judge(Outcome(image=RED), each(*readings), "PNG")

    assert judgment.verdict is verdict


async def test_a_difference_with_a_warning_is_not_a_failure() -> None:
    """The client knows that something is missing."""
    judgment = await judge(Outcome(image=RED, warning="cut off"), each(DIFFERING), "PNG")

    assert judgment.verdict is Verdict.WARNED
    assert not judgment.verdict.is_failure


@pytest.mark.parametrize(
    ("readings", "verdict"),
    [
        ([FAILING, DIFFERING], Verdict.REFUSED_WRONGLY),
        ([FAILING, COMPLAINING], Verdict.REFUSED_RIGHTLY),
        ([SILENT, PARTIAL], Verdict.REFUSED_RIGHTLY),
        ([], Verdict.NOT_JUDGED),
    ],
)
async def test_a_file_is_refused_wrongly_if_one_reader_has_no_complaint(
    readings: list[Reading], verdict: Verdict
) -> None:
    """A reader that never complains does not count."""
    judgment = await judge(refused("The file is broken."), each(*readings), "PNG")

    assert judgment.verdict is verdict
    assert judgment.reason == "The file is broken."


async def test_what_the_documents_exclude_is_not_judged_by_readers() -> None:
    """They may read it."""
    judgment = await judge(refused("12-bit JPEG", is_promised=False), each(DIFFERING), "JPEG")

    assert judgment.verdict is Verdict.NOT_PROMISED


async def test_the_difference_is_that_to_the_closest_reader() -> None:
    """So that the report begins with what no reader comes near to."""
    near = Image.new("RGBA", (4, 4), (250, 0, 0, 255))
    judgment = await judge(Outcome(image=RED), each(DIFFERING, Reading("near", [near])), "PNG")

    assert judgment.verdict is Verdict.WRONG
    assert judgment.difference is not None
    assert judgment.difference.mean == pytest.approx(5 / 3)
