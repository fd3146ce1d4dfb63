"""Clean-up: what it takes, and above all what it does not."""

from collections.abc import Iterable
from typing import Any

import pytest

from imageconverter import keys
from imageconverter.errors import CleanupRefused, StoreUnavailable
from imageconverter.images.image_formats import ImageFormats
from imageconverter.reports import cleanup, trash
from imageconverter.reports import results as results_module
from imageconverter.reports.trash import list_batches
from imageconverter.storage.store import ObjectStore, StoredObject
from tests.testing.shop import Shop, make_format

UNUSED = ["jpeg/x.jpg", "keep/x.jpg", "keep/y.jpg"]
USED = ["jpeg/a.jpg", "keep/a.jpg"]


async def test_what_two_reports_call_unused_goes_to_the_trash(tidy: Shop) -> None:
    """With all that was stored with it, and with a record of what was done."""
    done = await tidy.clean(command_id="20261122T000000-abc")

    assert await tidy.files() == USED
    assert await tidy.files(keys.trash_files("20261122T000000-abc")) == UNUSED
    thrown = await tidy.store.open(keys.trash_files("20261122T000000-abc") + "keep/x.jpg")
    assert thrown is not None
    assert (thrown.content_type, thrown.stored.metadata) == ("image/jpeg", {"made-of": "0f"})
    assert done.model_dump() == {
        "dry": False,
        "report": 2,
        "since": 1,
        "files": 3,
        "bytes": 21,
        "share": 0.6,
        "refused": "",
        "trash": "20261122T000000-abc",
        "first": tuple(UNUSED),
        "kept": (),
    }
    (trash,) = await list_batches(tidy.store)
    assert (trash.id, trash.kind, trash.report, trash.files) == ("20261122T000000-abc", "product", 2, 3)


async def test_a_dry_run_reports_the_same_and_moves_nothing(tidy: Shop) -> None:
    """Not even the trash."""
    before = await tidy.files("")
    dry = await tidy.clean(dry=True)

    assert (dry.files, dry.bytes, dry.first, dry.trash) == (3, 21, tuple(UNUSED), "")
    assert await tidy.files("") == before


async def test_a_dry_run_says_why_other_unused_files_stay(shop: Shop) -> None:
    """One is newer than the oldest report; the other was in use in between."""
    await shop.sells("a.jpg")
    await shop.has("keep/old.jpg", "keep/sold.jpg")
    await shop.report()
    await shop.days_pass(4)
    await shop.sells("a.jpg", "sold.jpg")
    await shop.report()
    await shop.sells("a.jpg")
    await shop.days_pass(4)
    await shop.has("keep/new.jpg", data=b"large content")
    await shop.report()

    dry = await shop.clean(dry=True)

    assert dry.first == ("keep/old.jpg",)
    assert [each.model_dump() for each in dry.kept] == [
        {"reason": "tooNew", "files": 1, "bytes": 13, "first": ("keep/new.jpg",)},
        {"reason": "notInAllReports", "files": 1, "bytes": 7, "first": ("keep/sold.jpg",)},
    ]


async def test_without_a_report_nothing_goes(shop: Shop) -> None:
    """There is nothing to go by."""
    with pytest.raises(CleanupRefused, match="no report yet"):
        await shop.clean()


@pytest.mark.parametrize(("names", "words"), [((), "No active entry"), (("a.jpg",), "less than half")])
async def test_a_catalog_that_was_refused_takes_nothing_away(shop: Shop, names: tuple[str, ...], words: str) -> None:
    """Though the reports before would have allowed it; a dry run has the reason as well."""
    await shop.sells("a.jpg", "b.jpg", "c.jpg")
    await shop.has("keep/x.jpg")
    for days in (8, 0):
        await shop.report()
        await shop.days_pass(days)
    await shop.sells(*names)
    await shop.report()

    for dry in (True, False):
        with pytest.raises(CleanupRefused, match=words):
            await shop.clean(dry=dry)
    assert await shop.files() == ["keep/x.jpg"]


async def test_reports_that_dared_to_say_nothing_are_passed_over(tidy: Shop) -> None:
    """One broken export in between does not begin the grace period again."""
    await tidy.sells()
    await tidy.report()
    await tidy.sells("a.jpg")
    await tidy.report()

    assert (await tidy.clean(dry=True)).first == tuple(UNUSED)


async def test_nothing_is_moved_after_an_import_without_a_report(tidy: Shop) -> None:
    """It may name what was unused; a new report is needed."""
    await tidy.sells("a.jpg", "x.jpg")

    with pytest.raises(CleanupRefused, match="The catalog has changed since the last report"):
        await tidy.clean()
    assert await tidy.files() == sorted(UNUSED + USED)


async def test_a_large_share_takes_an_explicit_word(tidy: Shop) -> None:
    """Three of five files are more than a half; a dry run shows what it would be all the same."""
    with pytest.raises(CleanupRefused, match=r"3 of 5 files are more than the allowed 50 %") as caught:
        await tidy.clean(limit=0.5)
    assert caught.value.field == "share"
    assert await tidy.files() == sorted(UNUSED + USED)

    dry = await tidy.clean(dry=True, limit=0.5)
    assert "3 of 5" in dry.refused
    assert (dry.files, dry.first) == (3, tuple(UNUSED))


async def test_a_share_that_was_spelled_out_is_taken(tidy: Shop) -> None:
    """Just as many as were allowed, and not one more."""
    with pytest.raises(CleanupRefused):
        await tidy.clean(limit=0.1, share=0.5999)
    assert (await tidy.clean(limit=0.1, share=0.6)).files == 3


async def test_a_share_is_not_rounded(shop: Shop) -> None:
    """What is a little over the limit is over it."""
    await shop.sells("a.jpg")
    await shop.has("keep/a.jpg", "jpeg/a.jpg", "keep/x.jpg")
    await shop.report()
    await shop.days_pass(8)
    await shop.report()

    with pytest.raises(CleanupRefused):
        await shop.clean(limit=0.33333)


async def test_files_in_shared_directories_stay(shop: Shop) -> None:
    """The catalog of products does not know what a category needs."""
    formats = [
        make_format("p", target_directory="both"),
        make_format("q", "jpeg", "category", target_directory="both"),
    ]
    shop.formats = ImageFormats([make_format("keep"), *formats])
    await shop.sells("a.jpg")
    await shop.has("both/x.jpg", "keep/x.jpg")
    await shop.report()
    await shop.days_pass(8)
    await shop.report()

    assert (await shop.clean()).files == 1
    assert await shop.files() == ["both/x.jpg"]


async def test_types_do_not_mix(tidy: Shop) -> None:
    """Cleaning up categories takes files of categories, by reports on categories."""
    await tidy.has("c/x.jpg", "c/b.jpg")
    with pytest.raises(CleanupRefused, match="no report yet"):
        await tidy.clean("category")
    await tidy.sells("b.jpg", kind="category")
    await tidy.report("category")
    await tidy.days_pass(8, "category")
    await tidy.report("category")

    await tidy.clean("category")
    assert await tidy.files() == ["c/b.jpg", *sorted(UNUSED + USED)]
    assert [trash.kind for trash in await list_batches(tidy.store)] == ["category"]


async def test_all_directories_and_names_are_gone_through_in_one_order(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where one is the beginning of another, where they are not ASCII, and over the borders of files of rows."""
    monkeypatch.setattr(results_module, "PART_ROWS", 3)
    directories = ["a", "a-b", "a/b", "ä", "a b", "\U0001f600"]
    names = ["a.jpg", "a-b.jpg", "Z.jpg", "ä.jpg", "o\u0308.jpg", "\ufb01.jpg", "\U0001f600.jpg", "a b+c%20d#?.jpg"]
    shop.formats = ImageFormats([make_format(f"f{n}", target_directory=each) for n, each in enumerate(directories)])
    await shop.sells("none.jpg")
    for directory in directories:
        await shop.has(*(f"{directory}/{name}" for name in names))
    await shop.report()
    await shop.days_pass(4)
    await shop.store.delete([keys.target("a-b/Z.jpg"), keys.target("ä/ä.jpg")])
    await shop.report()
    await shop.has("a-b/Z.jpg", "ä/ä.jpg")
    await shop.days_pass(4)
    await shop.report()

    done = await shop.clean()
    assert done.files == len(directories) * len(names) - 2
    assert await shop.files() == ["a-b/Z.jpg", "ä/ä.jpg"]


class Ending(ObjectStore):
    """A store that goes away after so many copies, or at the first deletion."""

    def __init__(self, real: ObjectStore, *, copies: int) -> None:
        self.__dict__.update(real.__dict__)
        self._left = copies

    async def copy(self, source: str, target: str) -> bool:
        """Copy while there is something left."""
        if not self._left:
            raise StoreUnavailable("The object store is gone.")
        self._left -= 1
        return await super().copy(source, target)

    async def delete(self, keys: Iterable[str]) -> None:  # noqa: ARG002 - the verb's own
        """Never come to that."""
        raise StoreUnavailable("The object store is gone.")

    async def delete_unchanged(self, stored: StoredObject) -> bool:  # noqa: ARG002 - the verb's own
        """Nor to that."""
        raise StoreUnavailable("The object store is gone.")


@pytest.mark.parametrize("copies", [0, 1, 3])
async def test_a_clean_up_that_ended_in_the_middle_goes_on(tidy: Shop, copies: int) -> None:
    """Under the same id; what it had done before counts, and no file is lost at any point."""
    broken = Shop(Ending(tidy.store, copies=copies), tidy.folder)
    with pytest.raises(StoreUnavailable):
        await broken.clean(command_id="one")
    assert await tidy.files() == sorted(UNUSED + USED)

    done = await tidy.clean(command_id="one")
    assert (done.files, done.bytes, done.trash) == (3, 21, "one")
    assert await tidy.files() == USED
    assert len(await list_batches(tidy.store)) == 1

    again = await tidy.clean(command_id="one")
    assert (again.files, again.trash) == (3, "one")


async def test_reports_of_other_formats_do_not_judge(shop: Shop) -> None:
    """A directory may belong to others since."""
    await shop.sells("a.jpg")
    await shop.has("keep/a.jpg", "keep/old.jpg")
    await shop.report()
    await shop.days_pass(8)
    await shop.report()
    shop.formats = ImageFormats([make_format("keep"), make_format("c", kind="category", target_directory="keep")])

    with pytest.raises(CleanupRefused, match="formats have changed"):
        await shop.clean()


async def test_a_clean_up_stops_where_another_catalog_comes(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may name what would go next."""
    monkeypatch.setattr(cleanup, "_BATCH", 1)
    await shop.sells("a.jpg")
    await shop.has("keep/a.jpg", "keep/old.jpg", "keep/older.jpg")
    await shop.report()
    await shop.days_pass(8)
    await shop.report()

    async def move_to_trash(*arguments: Any, **options: Any) -> None:
        await trash.move_to_trash(*arguments, **options)
        await shop.sells("a.jpg", "older.jpg")

    monkeypatch.setattr(cleanup, "move_to_trash", move_to_trash)
    done = await shop.clean()

    assert (done.files, done.refused != "") == (1, True)
    assert await shop.files() == ["keep/a.jpg", "keep/older.jpg"]
