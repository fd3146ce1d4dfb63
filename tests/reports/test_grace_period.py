"""The grace period of unused files: what a clean-up leaves until it has passed."""

import asyncio
import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from imageconverter import keys
from imageconverter.errors import CleanupRefused
from imageconverter.reports.trash import restore
from imageconverter.storage.store import StoredObject
from tests.testing.shop import Shop


@pytest.mark.parametrize("days", [None, 0, 6.9])
async def test_two_reports_a_grace_period_apart_are_needed(shop: Shop, days: float | None) -> None:
    """One alone, or two of the same week, may both come from the same mistake."""
    await shop.sells("a.jpg")
    await shop.has("keep/x.jpg")
    await shop.report()
    if days is not None:
        await shop.days_pass(days)
        await shop.report()

    with pytest.raises(CleanupRefused, match="at least 7 days older"):
        await shop.clean()
    assert await shop.files() == ["keep/x.jpg"]


async def test_a_step_of_the_clock_of_the_store_ends_no_grace_period(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is set forward by 40 days between two reports."""
    await shop.sells("a.jpg")
    await shop.has("keep/x.jpg")
    await shop.report()
    head = shop.store.head

    async def head_40_days_ahead(key: str) -> StoredObject | None:
        stored = await head(key)
        return stored and dataclasses.replace(stored, modified=stored.modified + timedelta(days=40))

    monkeypatch.setattr(shop.store, "head", head_40_days_ahead)
    await shop.report()

    with pytest.raises(CleanupRefused, match="at least 7 days older"):
        await shop.clean()


async def test_what_was_used_in_a_report_in_between_stays(shop: Shop) -> None:
    """It was unused in the first and the last, and in the one before the last, but not all the time."""
    await shop.has("keep/x.jpg", "keep/y.jpg")
    for names in (("a.jpg",), ("a.jpg", "x.jpg"), ("a.jpg",), ("a.jpg",)):
        await shop.sells(*names)
        await shop.report()
        await shop.days_pass(3)

    assert (await shop.clean()).first == ("keep/y.jpg",)
    assert await shop.files() == ["keep/x.jpg"]


async def test_reports_before_the_grace_period_do_not_matter(shop: Shop) -> None:
    """What was sold long ago may go; of those that are old enough the last one counts."""
    await shop.has("keep/x.jpg")
    for names in (("x.jpg", "a.jpg"), ("a.jpg",), ("a.jpg",)):
        await shop.sells(*names)
        await shop.report()
        await shop.days_pass(8)

    done = await shop.clean()
    assert (done.since, done.first) == (2, ("keep/x.jpg",))


async def replace(shop: Shop, path: str) -> None:
    """Put a file of the same size until the store has another time for it, in whole seconds."""
    before = await shop.store.head(keys.target(path))
    assert before is not None
    while True:
        await shop.has(path, data=b"another")
        now = await shop.store.head(keys.target(path))
        assert now is not None
        if now.modified != before.modified:
            return
        await asyncio.sleep(0.05)


async def test_a_file_that_was_put_again_since_the_report_stays(tidy: Shop) -> None:
    """Whether it is larger or just newer."""
    await tidy.has("keep/x.jpg", data=b"a larger image")
    await replace(tidy, "keep/y.jpg")
    await tidy.store.delete([keys.target("jpeg/x.jpg")])

    done = await tidy.clean()
    assert (done.files, done.bytes) == (0, 0)
    assert await tidy.files() == ["jpeg/a.jpg", "keep/a.jpg", "keep/x.jpg", "keep/y.jpg"]


async def test_a_file_that_was_put_again_between_the_reports_stays(shop: Shop) -> None:
    """Its grace period began with that."""
    await shop.sells("a.jpg")
    await shop.has("keep/x.jpg", "keep/y.jpg")
    await shop.report()
    await replace(shop, "keep/x.jpg")
    await shop.days_pass(8)
    await shop.report()

    await shop.clean()
    assert await shop.files() == ["keep/x.jpg"]


async def test_what_was_restored_has_a_grace_period_of_its_own(tidy: Shop) -> None:
    """The next clean-up must not move a restored file at once."""
    before = datetime.now(UTC)
    done = await tidy.clean()
    while datetime.now(UTC).replace(microsecond=0) <= before:  # a store that counts in seconds
        await asyncio.sleep(0.05)
    await restore(tidy.store, done.trash)
    await tidy.report()

    assert (await tidy.clean(dry=True)).files == 0
