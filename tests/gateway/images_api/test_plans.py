"""What a run would do, compared with what it then does."""

from collections import Counter
from typing import Any

import pytest

from imageconverter import keys
from imageconverter.resources import Resources
from tests.testing import image_files
from tests.testing.runs import PRODUCT, THUMBNAIL, Client, finished, get, post, put_sources, results, start

pytestmark = pytest.mark.usefixtures("worker", "no_run")

PLAN = "/images/convert/plan"


async def planned(gateway: Client, directory: str, *formats: str) -> tuple[Counter[str], int]:
    """Follow the cursors of a plan; returns its sums, and the number of its responses."""
    body = {"source": "directory", "directory": directory, "formatList": formats}
    sums: Counter[str] = Counter()
    cursor, pages = "", 0
    while cursor or not pages:
        status, response = await post(gateway, PLAN, {**body, "cursor": cursor})
        assert status == 200, response
        assert [each["id"] for each in response["formats"]] == list(formats)
        sums["sources"] += response["sources"]
        for each in response["formats"]:
            sums.update({name: each[name] for name in ("make", "upToDate", "notImages")})
        cursor, pages = response.get("cursor", ""), pages + 1
        assert response["complete"] == (not cursor)
    return +sums, pages


async def statuses(gateway: Client) -> Counter[str]:
    """Return the numbers of outputs of the last run by status."""
    return Counter(row["status"] for row in await results(gateway))


async def test_plan_says_what_the_run_then_does(gateway: Client, resources: Resources) -> None:
    """Before the first run, after it, and after a change of a source; a plan itself changes nothing."""
    files = {f"{n}.png": image_files.png() for n in range(5)} | {"notes.txt": b"not an image", "sub/a.png": b"x"}
    directory = await put_sources(resources, files)

    assert await planned(gateway, directory, THUMBNAIL, PRODUCT) == ({"sources": 7, "make": 10, "notImages": 4}, 1)
    assert (await get(gateway, "/images/convert/status"))[1]["status"] == "ready"
    await start(gateway, directory, THUMBNAIL)
    await finished(gateway)
    assert await statuses(gateway) == {"success": 5, "skipped": 2}

    await resources.store.put(keys.source(f"{directory}/0.png"), image_files.palette_png(), content_type="image/png")
    expected = {"sources": 7, "make": 1 + 5, "upToDate": 4, "notImages": 4}
    assert (await planned(gateway, directory, THUMBNAIL, PRODUCT))[0] == expected
    await start(gateway, directory, THUMBNAIL, PRODUCT)
    await finished(gateway)
    assert await statuses(gateway) == {"success": 6, "skipped": 4 + 4}
    assert (await planned(gateway, directory, THUMBNAIL))[0] == {"sources": 7, "upToDate": 5, "notImages": 2}


async def test_plan_of_a_large_tree_continues_at_its_cursor(
    gateway: Client, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each source is checked once."""
    monkeypatch.setattr("services.gateway.images_api.runs._PLAN_REQUESTS", 50)
    monkeypatch.setattr("imageconverter.runs.dry_runs._CONCURRENT_SOURCES", 7)
    directory = await put_sources(resources, {f"{n:03}.png": image_files.png() for n in range(101)})
    sums, pages = await planned(gateway, directory, THUMBNAIL)

    assert sums == {"sources": 101, "make": 101}
    assert pages == 4


@pytest.mark.parametrize("cursor", ["x", "1:source/", "0:target/x", "0:", "\0", "9" * 5000, "0:source/\0"])
async def test_cursor_of_another_plan_is_refused(gateway: Client, resources: Resources, cursor: str) -> None:
    """It could be of another directory."""
    directory = await put_sources(resources, {"a.png": image_files.png()})
    body: dict[str, Any] = {
        "source": "directory",
        "directory": directory,
        "formatList": [THUMBNAIL],
        "cursor": cursor,
    }
    status, response = await post(gateway, PLAN, body)

    assert (status, response["type"], response["field"]) == (400, "invalidValue", "cursor")


async def test_plan_needs_what_the_run_needs(gateway: Client) -> None:
    """Its body is checked alike."""
    status, response = await post(gateway, PLAN, {"source": "directory", "directory": "no such directory"})

    assert (status, response["field"]) == (400, "directory")
    assert (await post(gateway, PLAN, {}))[1]["field"] == "source"
