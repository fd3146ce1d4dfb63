"""Repair: which sources are converted again, into which formats."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from imageconverter import keys
from imageconverter.errors import NotFound
from imageconverter.images.conversions import TASK, ConversionJob
from imageconverter.images.image_formats import ImageFormats
from imageconverter.images.subshops import same_subshops
from imageconverter.jobs import QueueName, job_key
from imageconverter.reports.repair import Repair, repair
from imageconverter.resources import Resources
from tests.testing.shop import Shop, make_format

FORMATS = ImageFormats([
    make_format("keep", source_directory="mine/large"),
    make_format("jpeg", "jpeg"),
    make_format("c", kind="category", source_directory="mine"),
])  # fmt: skip


@pytest.fixture
async def resources(resources: Resources) -> AsyncIterator[Resources]:
    """No job waits, before and after."""
    await resources.redis.delete(keys.queue(QueueName.BATCH))
    yield resources
    await resources.redis.delete(keys.queue(QueueName.BATCH))


@pytest.fixture
async def broken(shop: Shop) -> Shop:
    """A shop that shows three images in two formats and has none of them."""
    shop.formats = FORMATS
    await shop.sells("a.jpg", "H\u00f6he.tif", "c.jpg")
    return shop


async def sources(shop: Shop, *paths: str) -> None:
    """Put files into the source tree."""
    for path in paths:
        await shop.store.put(keys.source(path), path.encode(), content_type="image/jpeg")


async def jobs(resources: Resources) -> dict[str, list[str]]:
    """Return the paths that waiting jobs make, by their sources."""
    found: dict[str, list[str]] = {}
    for job_id in await resources.redis.zrange(keys.queue(QueueName.BATCH), 0, -1):
        body = await resources.redis.get(job_key(job_id.decode()))
        assert body is not None
        task = json.loads(body)
        assert task["f"] == TASK
        job = ConversionJob.model_validate(task["a"][0])
        assert job.source_key not in found
        found[job.source_key] = sorted(order.expected_path for order in job.outputs)
    return found


async def repair_all(shop: Shop, resources: Resources, *, limit: int = 100) -> Repair:
    """Repair what products miss."""
    return await repair(shop.store, resources.queue, "product", same_subshops(FORMATS, ["default"]), limit=limit)


async def test_without_a_report_there_is_nothing_to_repair(broken: Shop, resources: Resources) -> None:
    """One has to be made first."""
    with pytest.raises(NotFound):
        await repair_all(broken, resources)


async def test_sources_are_converted_to_the_formats_that_are_missing(broken: Shop, resources: Resources) -> None:
    """And to no other; one job a source, whatever the normal form of its name."""
    await broken.has("keep/a.jpg")
    await sources(broken, "a.jpg", "deep/er/Ho\u0308he.tif", "other.jpg", "mine/.directory")
    await broken.report()

    assert await repair_all(broken, resources) == Repair(
        report=1, missing=3, converting=2, without_source=1, more=False
    )
    assert await jobs(resources) == {
        "source/a.jpg": ["jpeg/a.jpg"],
        "source/deep/er/Ho\u0308he.tif": ["jpeg/Ho\u0308he.jpg", "keep/Ho\u0308he.png"],
    }


async def test_the_source_directory_of_a_format_comes_first(broken: Shop, resources: Resources) -> None:
    """Then any other directory, and what was uploaded last of all; each format goes its own way."""
    await sources(broken, "mine/large/a.jpg")
    await newer(broken, "elsewhere/a.jpg")
    await newer(broken, "upload/0123456789ab/a.jpg", "upload/0123456789ab/c.jpg")
    await broken.report()

    repaired = await repair_all(broken, resources)
    assert (repaired.converting, repaired.without_source) == (3, 1)
    assert await jobs(resources) == {
        "source/mine/large/a.jpg": ["keep/a.jpg"],
        "source/elsewhere/a.jpg": ["jpeg/a.jpg"],
        "source/upload/0123456789ab/c.jpg": ["jpeg/c.jpg", "keep/c.jpg"],
    }


async def newer(shop: Shop, *paths: str) -> None:
    """Put files into the source tree that are newer than all others; the store counts in seconds."""
    latest = max([each.modified async for page in shop.store.list(keys.SOURCE) for each in page])
    for path in paths:
        while True:
            await sources(shop, path)
            stored = await shop.store.head(keys.source(path))
            assert stored is not None
            if stored.modified > latest:
                break
            await asyncio.sleep(0.05)


async def test_of_several_sources_of_one_name_the_newest_is_taken(broken: Shop, resources: Resources) -> None:
    """Wherever it is in the order of keys."""
    await sources(broken, "b/a.jpg", "large/a.jpg")
    await newer(broken, "c/a.jpg")
    await newer(broken, "a/a.jpg")
    await broken.report()

    await repair_all(broken, resources)
    assert list(await jobs(resources)) == ["source/a/a.jpg"]


async def test_what_is_no_image_is_no_source(broken: Shop, resources: Resources) -> None:
    """Empty files, and names that differ."""
    await broken.store.put(keys.source("a.jpg"), b"", content_type="image/jpeg")
    await sources(broken, "A.jpg", "a.jpg/b.jpg", "a.jpeg")
    await broken.report()

    assert (await repair_all(broken, resources)).without_source == 3
    assert await jobs(resources) == {}


async def test_who_asks_twice_has_the_same_jobs_once(broken: Shop, resources: Resources) -> None:
    """While they wait; after the next report there may be others."""
    await sources(broken, "a.jpg", "c.jpg")
    await broken.report()
    first, second = await repair_all(broken, resources), await repair_all(broken, resources)

    assert first == second
    assert len(await jobs(resources)) == 2


async def test_one_repair_takes_so_many_sources(broken: Shop, resources: Resources) -> None:
    """Each in all of its formats; the result says that there are more."""
    await sources(broken, "a.jpg", "c.jpg", "H\u00f6he.tif")
    await broken.report()

    assert await repair_all(broken, resources, limit=2) == Repair(
        report=1, missing=3, converting=2, without_source=0, more=True
    )
    assert [len(paths) for paths in (await jobs(resources)).values()] == [2, 2]
    assert not (await repair_all(broken, resources, limit=3)).more


async def test_a_format_that_is_not_configured_any_more_is_left_out(broken: Shop, resources: Resources) -> None:
    """The report is older than the configuration."""
    await sources(broken, "a.jpg")
    await broken.report()
    fewer = ImageFormats([FORMATS["content.imageFormat.jpeg"]])

    await repair(broken.store, resources.queue, "product", same_subshops(fewer, ["default"]))
    assert await jobs(resources) == {"source/a.jpg": ["jpeg/a.jpg"]}
