"""How far a scan is, as anybody may ask."""

import time

import pytest

from imageconverter import keys
from imageconverter.errors import BrokenLine, QueueUnavailable
from imageconverter.jobs import QueueName, open_redis
from imageconverter.reports import commands
from imageconverter.reports.progress import LastImport, ScanProgress, ScanState
from imageconverter.resources import Resources
from imageconverter.settings import RedisSettings


@pytest.fixture
async def progress(resources: Resources) -> ScanProgress:
    """Nothing is known of scans, and none waits."""
    await resources.redis.delete(keys.SCAN, keys.queue(QueueName.SCAN))
    return ScanProgress(resources.redis, retry_timeout=20)


async def test_before_the_first_scan_nothing_is_known(progress: ScanProgress) -> None:
    """That is an answer, too."""
    assert await progress.state() == ScanState(running=False, kind="", files=0, started=0, ended=0, failure="")


async def test_a_scan_runs_from_when_it_is_asked_for(progress: ScanProgress, resources: Resources) -> None:
    """Until its job is done, also while no reporter is there."""
    await commands.scan(resources.queue)
    assert (await progress.state()).running
    await resources.redis.delete(keys.queue(QueueName.SCAN))
    assert not (await progress.state()).running


async def test_the_state_shows_the_progress_of_a_scan(progress: ScanProgress) -> None:
    """The type, and its files: the first at once, the next within a second."""
    before = int(time.time())
    assert await progress.start() == set()
    await progress.begin("product")
    await progress.listed(1000)
    await progress.listed(2000)
    state = await progress.state()
    assert (state.kind, state.files, state.ended) == ("product", 1000, 0)
    assert state.started >= before

    await progress.begin("category")
    state = await progress.state()
    assert (state.kind, state.files) == ("category", 0)
    await progress.listed(5)
    assert (await progress.state()).files == 5

    await progress.end()
    state = await progress.state()
    assert (state.kind, state.failure) == ("", "")
    assert state.ended >= before


async def test_a_scan_that_was_broken_off_goes_on(progress: ScanProgress, resources: Resources) -> None:
    """With the types that it has not made yet, whichever reporter goes on; the next one makes all of them."""
    await progress.start()
    await progress.made(["product", "category"])
    async with resources.redis.pipeline() as pipe:
        pipe.hset(keys.SCAN, "started", "1000")
        await pipe.execute()
    assert await ScanProgress(resources.redis, retry_timeout=20).start() == {"product", "category"}
    assert (await progress.state()).started == 1000

    await progress.end()
    assert await progress.start() == set()
    assert (await progress.state()).started > 1000


async def test_the_last_failure_is_kept_until_the_next_scan_begins(progress: ScanProgress) -> None:
    """Whose own failure must not be taken for it."""
    await progress.start()
    await progress.failed("product: The object store did not answer in time.")
    assert (await progress.state()).failure.startswith("product: ")
    await progress.end("interrupted")
    assert (await progress.state()).failure == "interrupted"
    await progress.start()
    assert (await progress.state()).failure == ""


async def test_each_type_has_the_failure_of_its_own_catalog(progress: ScanProgress) -> None:
    """Until one is taken over."""
    await progress.record_import("product", "0a1b", "Line 7: is broken.")
    assert await progress.last_import("product") == LastImport("0a1b", "Line 7: is broken.")
    assert await progress.last_import("category") == LastImport("", "")
    await progress.record_import("product", "")
    assert await progress.last_import("product") == LastImport("", "")
    assert await progress.import_result("0a1b") == LastImport("0a1b", "Line 7: is broken.")
    assert await progress.import_result("another") == LastImport("", "")


async def test_a_redis_that_is_away_is_said() -> None:
    """Within the timeout."""
    async with open_redis(RedisSettings(url="redis://127.0.0.1:9/0"), retry_timeout=0.2) as redis:
        with pytest.raises(QueueUnavailable):
            await ScanProgress(redis, retry_timeout=0.2).state()


async def test_the_invalid_lines_of_an_import_are_kept(progress: ScanProgress, resources: Resources) -> None:
    """With the outcome; those of an earlier import of the same type do not belong to the next one."""
    await progress.record_import(
        "product", "0a1c", BrokenLine(7, "id", "is missing.").followed_by([BrokenLine(9, "", "x")])
    )

    last = await progress.last_import("product")
    assert last.failure == "Line 7, id: is missing."
    assert [(each.line, each.place, each.problem) for each in last.lines] == [(7, "id", "is missing."), (9, "", "x")]
    assert [each.reason for each in (await progress.import_result("0a1c")).lines] == [
        each.reason for each in last.lines
    ]
    assert 0 < await resources.redis.ttl(keys.import_lines("0a1c")) <= 24 * 3600

    await progress.record_import("product", "0a1d")
    assert await progress.last_import("product") == LastImport("0a1d", "")
