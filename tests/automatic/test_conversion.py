"""From a source that comes in to its outputs, with a real worker."""

from collections.abc import Callable

import pytest

from imageconverter import keys
from imageconverter.automatic import PendingSources
from imageconverter.errors import QueueUnavailable
from imageconverter.runs import RunRequest, create_run
from tests.automatic.conftest import Shop
from tests.conftest import ADMIN
from tests.testing.runs import get, post, results

pytestmark = pytest.mark.usefixtures("worker", "no_run")

Make = Callable[[int], bytes]


async def test_what_comes_in_through_the_api_is_converted(shop: Shop, image: Make) -> None:
    """To all automatic formats of its directory and of those above, and to no other; a burst is few runs."""
    names = [f"{number:02}.png" for number in range(20)]
    for number, name in enumerate(names):
        await shop.put(name, image(number))
    await shop.put("large/one.png", image(99))
    await shop.settle()

    for name in [*names, "one.png"]:
        assert await shop.output(name) is not None
    assert await shop.output("one.png", "large") is not None
    assert await shop.output("00.png", "large") is None
    assert await shop.output("00.png", "manual") is None
    (run,) = await shop.runs()
    assert (run.run.action, run.run.started_by, run.sources.success) == ("automatic", "task automatic", 21)


async def test_moved_copied_and_restored_sources_are_converted(shop: Shop, image: Make) -> None:
    """Each comes in under a name."""
    await shop.put("a.png", image(1))
    body = {"from": f"{shop.directory}/a.png", "to": f"{shop.directory}/copied.png"}
    assert (await post(shop.client, "/images/sources/copy", body))[0] == 200
    body |= {"to": f"{shop.directory}/moved.png"}
    assert (await post(shop.client, "/images/sources/move", body))[0] == 200
    await shop.settle()
    assert await shop.output("copied.png") is not None
    assert await shop.output("moved.png") is not None

    async with shop.client.delete(f"/images/sources/{shop.directory}/moved.png", headers=ADMIN) as response:
        item = (await response.json())["trash"]
    await shop.resources.store.delete([keys.target(f"{shop.directory}/small/moved.png")])
    assert (await post(shop.client, "/images/trash/sources/restore", {"items": [item]}))[0] == 200
    await shop.settle()
    assert await shop.output("moved.png") is not None


async def test_a_source_that_is_replaced_again_is_converted_as_it_is_last(shop: Shop, image: Make) -> None:
    """Before the run begins, and while it is running."""
    for number in (1, 2, 3):
        await shop.put("a.png", image(number))
    await shop.settle()
    first = await shop.output("a.png")
    for number in (4, 5):
        await shop.put("a.png", image(number))
    await shop.settle()
    last = await shop.output("a.png")
    assert first is not None
    assert last is not None
    assert first.etag != last.etag

    await shop.put_behind("b.png", image(5))
    await shop.scan()
    same = await shop.output("b.png")
    assert same is not None
    assert same.etag == last.etag


async def test_a_scan_finds_what_other_programs_have_put_there(shop: Shop, image: Make) -> None:
    """New and replaced sources; those that are up to date need no run."""
    for number in range(30):
        await shop.put_behind(f"{number:02}.png", image(number))
    await shop.scan()
    (run,) = await shop.runs()
    assert run.sources.success == 30

    await shop.scan()
    assert len(await shop.runs()) == 1
    await shop.put_behind("07.png", image(700))
    await shop.scan()
    run, _ = await shop.runs()
    assert (run.run.batches[0].sources, run.sources.success) == ((f"{shop.directory}/07.png",), 1)


async def test_a_scan_tries_a_broken_source_once(shop: Shop, image: Make) -> None:
    """Until it is replaced."""
    await shop.put_behind("a.png", b"not an image")
    await shop.scan()
    await shop.scan()
    assert len(await shop.runs()) == 1
    await shop.put_behind("a.png", image(1))
    await shop.scan()
    run, _ = await shop.runs()
    assert run.sources.success == 1


async def test_a_person_starts_and_sees_runs_as_without_automatic_ones(shop: Shop, image: Make) -> None:
    """An automatic run is in the history, and a run of a person beside it is the last one."""
    await shop.put("a.png", image(1))
    request = {"source": "directory", "directory": shop.directory, "formatList": ["content.imageFormat.manual"]}
    status, _ = await post(shop.client, "/images/convert/start", {"action": "manual", **request})
    assert status == 200
    await shop.settle()
    assert [row["formatId"] for row in await results(shop.client)] == ["content.imageFormat.manual"]
    _, history = await get(shop.client, "/images/convert/runs")
    assert {each["action"] for each in history["items"]} == {"manual", "automatic"}


async def test_what_redis_has_lost_is_found_by_a_scan(shop: Shop, image: Make) -> None:
    """Such as a source that was accepted just before."""
    await shop.put("a.png", image(1))
    await shop.resources.redis.delete(keys.AUTOMATIC_PENDING)
    await shop.settle()
    assert await shop.output("a.png") is None
    await shop.scan()
    assert await shop.output("a.png") is not None


async def test_a_source_is_accepted_without_redis(shop: Shop, image: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is in the store, where a scan finds it."""

    async def fail(*_: object) -> int:
        raise QueueUnavailable("Redis does not answer.")

    with monkeypatch.context() as patch:
        patch.setattr(PendingSources, "submit", fail)
        await shop.put("a.png", image(1))
    await shop.scan()
    assert await shop.output("a.png") is not None


async def test_a_run_of_a_person_over_the_same_sources_makes_them_unchanged(shop: Shop, image: Make) -> None:
    """A scan afterwards starts no run."""
    await shop.put_behind("a.png", image(1))
    request = RunRequest(
        source="directory", directory=shop.directory, formats=("content.imageFormat.small",), started_by="key shop"
    )
    run = await create_run(shop.resources.store, shop.resources.formats.current, request)
    await shop.resources.runs.start(run)
    while await shop.resources.runs.is_running(run.id):
        await shop.settle()
    await shop.scan()
    assert await shop.runs() == []


async def test_a_focal_point_converts_the_crops_of_a_source(shop: Shop, image: Make) -> None:
    """At once, and only these."""
    formats = shop.resources.formats
    assert formats.path is not None
    with formats.path.open("a") as file:
        file.write(
            f"""
[[format]]
id = "cropped"
name = "cropped"
type = "product"
sourceDirectory = "{shop.directory}"
targetDirectory = "{shop.directory}/cropped"
automatic = true
maxWidth = 16
maxHeight = 16
fit = "crop"
"""
        )
    formats.refresh(at_once=True)
    await shop.put("a.png", image(1))
    await shop.settle()
    before = await shop.output("a.png", "cropped"), await shop.output("a.png")
    path = f"/images/focal-points/{shop.directory}/a.png"
    async with shop.client.put(path, json={"x": 0, "y": 0}, headers=ADMIN) as response:
        assert response.status == 200
    await shop.settle()
    after = await shop.output("a.png", "cropped"), await shop.output("a.png")

    assert all(each is not None for each in (*before, *after))
    assert [one == other for one, other in zip(before, after, strict=True)] == [False, True]
    assert len(await shop.runs()) == 2
