"""Runs over a selection of sources and directories."""

from typing import Any

import pytest

from imageconverter.resources import Resources
from tests.testing import image_files
from tests.testing.runs import THUMBNAIL, Client, finished, post, put_sources, results

pytestmark = pytest.mark.usefixtures("worker", "no_run")


def body(*selection: str) -> dict[str, Any]:
    """Return the body that starts a run over a selection."""
    return {"action": "manual", "source": "selection", "selection": selection, "formatList": [THUMBNAIL]}


async def test_a_selection_is_converted_and_nothing_beside_it(gateway: Client, resources: Resources) -> None:
    """Sources, and all below directories; named twice, converted once; a plan says the same before."""
    names = ("a.png", "b.png", "c/d.png", "c/e/f.png", "c2.png", "g.png")
    directory = await put_sources(resources, dict.fromkeys(names, image_files.png()))
    selection = body(*(f"{directory}/{name}" for name in ("g.png", "a.png", "c", "a.png")))
    _, plan = await post(gateway, "/images/convert/plan", selection)
    status, _ = await post(gateway, "/images/convert/start", selection)
    await finished(gateway)

    assert status == 200
    assert plan["sources"] == 4
    assert sorted(row["sourceFilename"] for row in await results(gateway)) == ["a.png", "d.png", "f.png", "g.png"]


@pytest.mark.parametrize(
    ("selection", "reason"),
    [
        ([], "selection must have from 1 to 1000 entries."),
        (["a"] * 1001, "selection must have from 1 to 1000 entries."),
        (["nothing"], 'There is no source directory "nothing".'),
    ],
)
async def test_what_cannot_be_selected_is_rejected(gateway: Client, selection: list[str], reason: str) -> None:
    """Nothing, too much, and what does not exist."""
    status, answer = await post(gateway, "/images/convert/start", body(*selection))
    assert (status, answer["reason"]) == (400, reason)
